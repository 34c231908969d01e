#!/bin/sh
# Ours against PyTorch, side by side: both are measured in turns, a few passes a turn, so that a noisy machine
# hits both alike; the order changes from round to round. Prints a table with the ratio ours/rival and writes
# bench/results/<cpu>-<date>.json.
#
#     make && bench/rivals/compare.sh
#     MODELS=small BENCHES=infer ROUNDS=5 THREADS=2 PYTHON=build/rivals/venv/bin/python bench/rivals/compare.sh
#
# Settings: PYTHON PROGRAM MODELS BENCHES IMAGE_SIZE THREADS ROUNDS REPEATS (passes a turn) LAYOUTS RIVAL_ARGS.
set -eu
cd "$(dirname "$0")/../.."
here=bench/rivals
PYTHON=${PYTHON:-python3}
PROGRAM=${PROGRAM:-build/efficientad}
MODELS=${MODELS:-small medium}
BENCHES=${BENCHES:-infer step}
IMAGE_SIZE=${IMAGE_SIZE:-256}
THREADS=${THREADS:-$(nproc)}
ROUNDS=${ROUNDS:-3}
REPEATS=${REPEATS:-5}
LAYOUTS=${LAYOUTS:-channels_last,contiguous}

if ! "$PYTHON" -c 'import torch, numpy' 2>/dev/null; then
    echo "compare.sh: $PYTHON has no torch. Either: apt install python3-torch" >&2
    echo "    or: $here/setup.sh, then PYTHON=build/rivals/venv/bin/python $here/compare.sh" >&2
    exit 1
fi
if [ ! -x "$PROGRAM" ]; then
    echo "compare.sh: $PROGRAM is missing; run make first" >&2
    exit 1
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compare.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

ours() { # bench model round
    "$PROGRAM" bench "$1" --size "$2" --image-size "$IMAGE_SIZE" --threads "$THREADS" --repeat "$REPEATS" \
        --json "$scratch/ours-$3-$1-$2.json" >/dev/null 2>"$scratch/errors" || {
        cat "$scratch/errors" >&2
        echo "compare.sh: $PROGRAM bench $1 --size $2 failed" >&2
        exit 1
    }
}

rival() { # bench model round
    # shellcheck disable=SC2086 # RIVAL_ARGS holds several arguments
    "$PYTHON" $here/pytorch_rival.py --bench "$1" --model "$2" --image-size "$IMAGE_SIZE" --threads "$THREADS" \
        --repeats "$REPEATS" --warmup 2 --layout "$LAYOUTS" ${RIVAL_ARGS:-} \
        >"$scratch/rival-$3-$1-$2.jsonl" 2>"$scratch/errors" || {
        cat "$scratch/errors" >&2
        echo "compare.sh: the rival failed at $1 $2" >&2
        exit 1
    }
}

round=1
while [ "$round" -le "$ROUNDS" ]; do
    for bench in $BENCHES; do
        for model in $MODELS; do
            echo "round $round of $ROUNDS: $bench $model" >&2
            if [ $((round % 2)) -eq 1 ]; then
                ours "$bench" "$model" "$round"
                rival "$bench" "$model" "$round"
            else
                rival "$bench" "$model" "$round"
                ours "$bench" "$model" "$round"
            fi
        done
    done
    round=$((round + 1))
done
"$PYTHON" $here/compare_table.py "$scratch" bench/results
