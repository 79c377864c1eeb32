//! The program as its users meet it: files in, files out, exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod bad_input;
mod bad_ratings;
mod cluster;
mod complete;
mod fetch;
mod interface;
mod interrupt;
mod other;
mod recommend;
mod split;
mod support;
mod transport;
