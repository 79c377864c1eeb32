//! The program as its users meet it: files in, files out, exit codes.

mod bad_input;
mod complete;
mod interface;
mod interrupt;
mod other;
mod support;
