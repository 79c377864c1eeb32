//! Commands and what they print, word for word.

#[test]
fn the_commands_print_what_is_written_down() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}
