#!/bin/sh
# Runs the fuzz targets given as arguments, each for FUZZ_SECONDS and one a processor at a time, with their corpora
# under build/fuzz/corpus; the seeds lie in test/fuzz/seeds/. What a target found is kept as build/fuzz/TARGET-*.
set -eu
run_one() { # target
    name=$(basename "$1")
    log=build/fuzz/$name.log
    corpus=build/fuzz/corpus/$name
    seeds=test/fuzz/seeds/$name
    mkdir -p "$corpus"
    code=0
    "$1" -max_total_time="$FUZZ_SECONDS" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/$name-" "$corpus" $([ -d "$seeds" ] && echo "$seeds") >"$log" 2>&1 || code=$?
    if [ "$code" -eq 0 ]; then
        echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $FUZZ_SECONDS s"
    else
        tail -n 40 "$log"
        echo "FAILED: $name"
    fi
}

if [ "$1" = --one ]; then
    run_one "$2"
    exit
fi
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh "$0" --one >build/fuzz/results
cat build/fuzz/results
failed=$(grep -c '^FAILED: ' build/fuzz/results || true)
echo "$(($# - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
