#!/bin/bash -eu
# Builds every target of `fuzz/` for ClusterFuzzLite: program, seeds and dictionary under the names that it looks for.
cd "$SRC/mcp-conform"
# Debug assertions stay on: overflows are findings, too.
cargo fuzz build -O --debug-assertions
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    cp "fuzz/dictionaries/$target.dict" "$OUT/"
    zip -j -q "$OUT/${target}_seed_corpus.zip" "fuzz/seeds/$target/"*
    printf '[libfuzzer]\nmax_len = 4096\ntimeout = 30\n' >"$OUT/$target.options"
done
