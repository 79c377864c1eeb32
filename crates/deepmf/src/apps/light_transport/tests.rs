//! Tests of light transport.
