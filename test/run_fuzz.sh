#!/bin/sh
# Runs each fuzz target for FUZZ_SECONDS, with its corpus under build/fuzz/corpus; the seeds lie in test/fuzz/seeds/.
set -eu
for fuzzer in "$@"; do
    name=$(basename "$fuzzer")
    mkdir -p "build/fuzz/corpus/$name"
    seeds=
    if [ -d "test/fuzz/seeds/$name" ]; then seeds="test/fuzz/seeds/$name"; fi
    echo "== $name for ${FUZZ_SECONDS} s"
    # shellcheck disable=SC2086
    "$fuzzer" -max_total_time="$FUZZ_SECONDS" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" $seeds
done
