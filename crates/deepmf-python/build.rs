//! On macOS a module of Python leaves its symbols to the interpreter only if the linker is told so.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
