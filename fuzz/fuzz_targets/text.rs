//! No bytes make the reader of text files panic or take memory without bounds.
#![no_main]

use deepmf::data::{Format, ReadOptions, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = parse(Format::Text, bytes, &ReadOptions::default());
});
