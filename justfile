# `just` lists what can be done.

set shell := ["bash", "-euo", "pipefail", "-c"]

_default:
    @just --list --unsorted

# All checks, as they must pass before a change is taken.
ci:
    bash .ci/run

# What a change needs at least: format, lints, the tests of the library.
quick:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace --lib --bins

# All tests.
test:
    cargo test --workspace

# Formats the code.
fmt:
    cargo fmt --all

# Checks what a study claims, such as `just study arora2019`.
study name *flags:
    cargo run --release --bin deepmf -- study check {{ name }} {{ flags }}

# Benchmarks beside peers (needs Python; DEEPMF_DATA for those on real data), as tables.
bench:
    bash bench/step
    bash bench/flow
    bash bench/nuclear
    bash bench/scale
    bash bench/completion
    bash bench/ratings

# The guide as pages, if mdbook is there.
guide:
    mdbook build docs

# Makes git run `just quick` before each commit.
hooks:
    git config core.hooksPath .githooks
