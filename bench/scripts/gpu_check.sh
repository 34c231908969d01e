#!/bin/sh
# Everything that only a GPU can answer, in one command and under 8 minutes: the tests of CUDA, compute-sanitizer on
# small sizes, latency, throughput and the training step of S and M in every precision, and PyTorch on the same card
# (eager, captured, torch.compile). Ends with one table; writes bench/results/<gpu>-<date>.json. A part that fails or
# runs out of its time costs the others nothing.
#
#     make portable               # anywhere with nvcc; then, on the machine with the GPU:
#     bench/scripts/gpu_check.sh
#
# Needs there: the driver and Python, with PyTorch for the comparison; no compiler, none of our packages. compute-sanitizer
# and cuBLAS (for fp32) are used if the CUDA toolkit is there; cuBLAS comes along with the portable folder by default.
#
# Settings: FOLDER (build/portable) PYTHON PARTS ("tests memcheck racecheck ours variants rivals") MODELS (both) DEVICE
# SECONDS_IN_ALL (460).
# DEVICE=cpu tries out the script itself on a machine without a GPU, in fp32, on small images, with few repetitions.
set -eu
cd "$(dirname "$0")/../.."
FOLDER=${FOLDER:-build/portable}
PYTHON=${PYTHON:-python3}
PARTS=${PARTS:-tests memcheck racecheck ours variants rivals}
MODELS=${MODELS:-both}
DEVICE=${DEVICE:-cuda}
SECONDS_IN_ALL=${SECONDS_IN_ALL:-460}
program=$FOLDER/bin/efficientad
tests=$FOLDER/test/test_cuda
conv_tests=$FOLDER/test/test_cuda_conv

fail() {
    echo "gpu_check.sh: $*" >&2
    exit 1
}

[ -x "$program" ] || fail "$program is missing; run make portable first"
command -v "$PYTHON" >/dev/null || fail "$PYTHON is missing; set PYTHON"
if [ "$DEVICE" = cpu ]; then
    precisions=fp32 infer_repeat=3 step_repeat=2 batch=2 image=128
    gpu="dry run" results=build/scratch/gpu_check
else
    results=bench/results precisions="fp16 bf16 tf32 fp32" infer_repeat=300 step_repeat=30 batch=16 image=256
    gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1) || gpu=
    [ -n "$gpu" ] || gpu=$("$PYTHON" -c 'import torch; print(torch.cuda.get_device_name())' 2>/dev/null) || gpu=
    [ -n "$gpu" ] || fail "neither nvidia-smi nor PyTorch names a GPU"
fi

# cuBLAS of the toolkit or of PyTorch, in case it was left out of the folder.
for place in /usr/local/cuda/lib64 "$("$PYTHON" -c 'import nvidia.cublas.lib as l; print(list(l.__path__)[0])' 2>/dev/null)"; do
    [ -d "$place" ] && LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$place
done
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" OMP_WAIT_POLICY=passive
PATH=$PATH:/usr/local/cuda/bin

scratch=$(mktemp -d "${TMPDIR:-/tmp}/gpu_check.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
failed=
begun=$(date +%s)

# One line for each part in parts.tsv: name, what came of it, seconds. A part gets no more than what is left of all.
part() { # name seconds command...
    name=$1 limit=$2
    shift 2
    started=$(date +%s)
    left=$((begun + SECONDS_IN_ALL - started))
    [ "$limit" -le "$left" ] || limit=$left
    if [ "$limit" -lt 3 ]; then
        failed="$failed $name"
        printf '%s\tno time left\t0\n' "$name" >>"$scratch/parts.tsv"
        return 0
    fi
    echo "== $name (at most $limit s)" >&2
    if timeout -k 5 "$limit" "$@" >"$scratch/$name.log" 2>&1; then outcome=ok; else outcome=$?; fi
    case $outcome in
    ok) ;;
    124 | 137) outcome="out of time" ;;
    *) outcome="failed ($outcome)" ;;
    esac
    if [ "$outcome" != ok ]; then
        failed="$failed $name"
        tail -n 25 "$scratch/$name.log" >&2
    fi
    printf '%s\t%s\t%s\n' "$name" "$outcome" $(($(date +%s) - started)) >>"$scratch/parts.tsv"
}

wanted() {
    case " $PARTS " in *" $1 "*) return 0 ;; esac
    return 1
}

# Whether the convolutions have the kernels that EFFICIENTAD_CUDA_CONV=wgmma asks for.
hopper() {
    [ "$DEVICE" != cpu ] && [ "$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1)" = 9.0 ]
}

bench() { # name seconds precision words-and-options...
    bench_name=$1 bench_limit=$2 precision=$3
    shift 3
    part "$bench_name" "$bench_limit" "$program" bench "$@" --device "$DEVICE" --precision "$precision" --size "$MODELS" \
        --image-size "$image" --quiet --json "$scratch/ours-$bench_name.json"
}

rival() { # name seconds arguments...
    rival_name=$1 rival_limit=$2
    shift 2
    case $MODELS in both) rival_models=small,medium ;; *) rival_models=$MODELS ;; esac
    # shellcheck disable=SC2016 # the inner shell expands these
    part "$rival_name" "$rival_limit" sh -c 'out=$1; shift; exec "$@" >"$out"' sh "$scratch/rival-$rival_name.jsonl" \
        "$PYTHON" bench/rivals/pytorch_rival.py --device "$DEVICE" --model "$rival_models" --layout channels_last \
        --image-size "$image" "$@"
}

if wanted tests; then
    if [ -x "$tests" ]; then part tests 110 "$tests"; fi
    if hopper && [ -x "$conv_tests" ]; then part wgmma-exact 60 env CK_RUN_CASE=wgmma "$conv_tests"; fi
fi
if wanted ours; then
    for precision in $precisions; do
        bench "infer-$precision-1" 12 "$precision" infer --batch 1 --repeat "$infer_repeat"
        bench "infer-$precision-$batch" 12 "$precision" infer --batch "$batch" --repeat $((infer_repeat / 3))
        [ "$precision" = fp16 ] || bench "step-$precision" 12 "$precision" step --repeat "$step_repeat"
    done
fi
if wanted variants && [ "$DEVICE" != cpu ]; then
    for precision in fp16 bf16; do
        if [ $precision = fp16 ]; then word=infer; else word=step; fi
        bench "$word-$precision-1-stream" 12 "$precision" $word --streams 1 --repeat "$step_repeat"
        bench "$word-$precision-no-capture" 12 "$precision" $word --no-capture --repeat "$step_repeat"
    done
    if hopper; then
        export EFFICIENTAD_CUDA_CONV=wgmma
        bench infer-fp16-1-wgmma 12 fp16 infer --batch 1 --repeat "$infer_repeat"
        bench "infer-fp16-$batch-wgmma" 12 fp16 infer --batch "$batch" --repeat $((infer_repeat / 3))
        bench step-bf16-wgmma 12 bf16 step --repeat "$step_repeat"
        unset EFFICIENTAD_CUDA_CONV
    fi
fi
if wanted rivals && "$PYTHON" -c 'import numpy, torch' 2>/dev/null; then
    if [ "$DEVICE" = cpu ]; then
        rival infer-eager 60 --bench infer --batch "1,$batch" --repeats 2 --warmup 1
        rival step-eager 60 --bench step --repeats 2 --warmup 1
    else
        rival infer-eager 40 --bench infer --batch "1,$batch" --precision fp32,tf32,bf16,fp16 --modes eager,graph \
            --repeats 50 --warmup 10
        rival step-eager 40 --bench step --precision fp32,tf32,bf16 --modes eager,graph --repeats 5 --warmup 2
        rival infer-compile 60 --bench infer --batch "1,$batch" --precision fp16,tf32 --modes compile --repeats 50 --warmup 10
        rival step-compile 60 --bench step --precision bf16,tf32 --modes compile --repeats 5 --warmup 2
    fi
fi
if command -v compute-sanitizer >/dev/null && [ "$DEVICE" != cpu ]; then
    for tool in memcheck racecheck; do
        if wanted $tool; then
            part $tool 60 env CK_RUN_CASE=ops compute-sanitizer --tool $tool --error-exitcode 9 "$tests"
        fi
    done
fi

"$PYTHON" bench/rivals/gpu_table.py "$scratch" "$results" "$gpu" || failed="$failed table"
[ -z "$failed" ] || fail "not all went well:$failed"
