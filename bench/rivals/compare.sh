#!/bin/sh
# Ours against PyTorch, onnxruntime and OpenVINO, side by side: all are measured in turns, a few passes a turn,
# so that a noisy machine hits all alike; the order changes from round to round. Prints a table with the ratio
# ours/rival and writes bench/results/<cpu>-<date>[-NAME].json. Only inference has other rivals than PyTorch.
#
#     make && bench/rivals/compare.sh
#     NAME=distill RIVALS=pytorch BENCHES="distill features" bench/rivals/compare.sh    # the latter needs torchvision
#     NAME=load LOAD=2 MODELS=small bench/rivals/compare.sh     # beside two processes that keep a core busy each
#     MODELS=small BENCHES=infer ROUNDS=5 THREADS=2 PYTHON=build/rivals/venv/bin/python bench/rivals/compare.sh
#
# Settings: PYTHON PROGRAM RIVALS MODELS BENCHES IMAGE_SIZE THREADS ROUNDS REPEATS (passes a turn) LAYOUTS RIVAL_ARGS
# DISTILL_BATCH LOAD NAME.
set -eu
cd "$(dirname "$0")/../.."
here=bench/rivals
PYTHON=${PYTHON:-python3}
PROGRAM=${PROGRAM:-build/efficientad}
RIVALS=${RIVALS:-pytorch onnxruntime openvino}
MODELS=${MODELS:-small medium}
BENCHES=${BENCHES:-infer step}
IMAGE_SIZE=${IMAGE_SIZE:-256}
THREADS=${THREADS:-$(nproc)}
ROUNDS=${ROUNDS:-3}
REPEATS=${REPEATS:-5}
LAYOUTS=${LAYOUTS:-channels_last,contiguous}
DISTILL_BATCH=${DISTILL_BATCH:-16}
LOAD=${LOAD:-0}
NAME=${NAME:-}

if [ "$RIVALS" = pytorch ]; then needed="numpy, torch"; else needed="numpy, torch, onnx"; fi
for rival in $RIVALS; do
    [ "$rival" = pytorch ] || needed="$needed, $rival"
done
if ! "$PYTHON" -c "import $needed" 2>/dev/null; then
    echo "compare.sh: $PYTHON lacks one of $needed" >&2
    echo "    $here/setup.sh installs all, then: PYTHON=build/rivals/venv/bin/python $here/compare.sh" >&2
    echo "    or with Debian's python3-torch: RIVALS=pytorch $here/compare.sh" >&2
    exit 1
fi
if [ ! -x "$PROGRAM" ]; then
    echo "compare.sh: $PROGRAM is missing; run make first" >&2
    exit 1
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compare.XXXXXX")
busy=
# shellcheck disable=SC2086 # busy holds several numbers
trap 'rm -rf "$scratch"; [ -z "$busy" ] || kill $busy' EXIT
trap 'exit 1' INT TERM

batch_of() { # bench
    if [ "$1" = distill ]; then echo "$DISTILL_BATCH"; else echo 1; fi
}

ours() { # bench model round
    "$PROGRAM" bench "$1" --size "$2" --batch "$(batch_of "$1")" --image-size "$IMAGE_SIZE" --threads "$THREADS" --repeat "$REPEATS" \
        --json "$scratch/ours-$3-$1-$2.json" >/dev/null 2>"$scratch/errors" || {
        cat "$scratch/errors" >&2
        echo "compare.sh: $PROGRAM bench $1 --size $2 failed" >&2
        exit 1
    }
}

measure() { # ours|rival bench model round
    case $1 in
    ours)
        ours "$2" "$3" "$4"
        return
        ;;
    pytorch) set -- "$@" pytorch_rival.py --bench "$2" --layout "$LAYOUTS" --distill-batch "$DISTILL_BATCH" ;;
    *)
        [ "$2" = infer ] || return 0
        set -- "$@" onnx_rivals.py --rival "$1"
        ;;
    esac
    name=$1 bench=$2 model=$3 round=$4 script=$5
    shift 5
    # shellcheck disable=SC2086 # RIVAL_ARGS holds several arguments
    "$PYTHON" "$here/$script" "$@" --model "$model" --image-size "$IMAGE_SIZE" --threads "$THREADS" \
        --repeats "$REPEATS" --warmup 2 ${RIVAL_ARGS:-} \
        >"$scratch/rival-$round-$bench-$model-$name.jsonl" 2>"$scratch/errors" || {
        cat "$scratch/errors" >&2
        echo "compare.sh: $name failed at $bench $model" >&2
        exit 1
    }
}

for _ in $(seq "$LOAD"); do
    while :; do :; done &
    busy="$busy $!"
done

backwards=
for name in ours $RIVALS; do backwards="$name $backwards"; done
round=1
while [ "$round" -le "$ROUNDS" ]; do
    for bench in $BENCHES; do
        models=$MODELS
        [ "$bench" != features ] || models=small # of all backbones at once, whatever the model
        for model in $models; do
            echo "round $round of $ROUNDS: $bench $model" >&2
            if [ $((round % 2)) -eq 1 ]; then order="ours $RIVALS"; else order=$backwards; fi
            for name in $order; do measure "$name" "$bench" "$model" "$round"; done
        done
    done
    round=$((round + 1))
done
"$PYTHON" $here/compare_table.py "$scratch" bench/results $NAME
