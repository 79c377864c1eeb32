//! No bytes make the reader of Parquet files panic or take memory without bounds.
//!
//! A panic inside the `parquet` crate, which the reader catches, still stops the fuzzer: report it there.
#![no_main]

use deepmf::data::{Format, ReadOptions, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = parse(Format::Parquet, bytes, &ReadOptions::default());
});
