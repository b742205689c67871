# Lists what can be done.
default:
    @just --list

# Everything that CI checks.
ready: fmt-check clippy doc test

# Formats all code.
fmt:
    cargo fmt --all

fmt-check:
    cargo fmt --all --check

clippy:
    cargo clippy --workspace --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

test:
    cargo test --workspace

# The suite on the reference server.
reference *OPTIONS:
    cargo run --release -- reference {{OPTIONS}}

# The faults whose names hold this text, against the cases that claim them.
matrix FAULT="":
    FAULTS={{FAULT}} cargo test -p mcp-conform-tests --test fault_matrix -- --nocapture

# The numbers that the project promises.
bench:
    cargo bench -p mcp-conform-tests

# Our own parsers, judge, generators and reference server, fuzzed for some seconds each (see fuzz/README.md).
smoke *TARGETS:
    fuzz/smoke {{TARGETS}}
