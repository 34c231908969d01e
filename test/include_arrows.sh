#!/bin/sh
# Checks the direction of includes: each folder may include itself and the folders on its row, with all below
# them. A folder without a row is an error, and so is one with more than 25 files, or a circle of includes.
set -eu
support="core train/support"
rows="
core/base       |
core/system     | core/base
core/team       | core/base core/system
core/image      | core/base
core/file       | core/base
core/simd       | core/base
core/ranks      | core/base
core/graph      | core/base core/ops/op_table.def
core/backend    | core/base core/simd core/graph core/ops/op_table.def
core/cuda       | core/base core/graph core/backend
core/ops        | core/base core/ranks core/image core/simd core/graph core/cuda
core/plan       | core/base core/system core/simd core/graph core/backend
autograd        | core
models/networks | core
models/blocks   | core models/networks models/method.h
models/efficientad | core models/networks models/method.h
models/patchcore | core models/networks models/method.h
models/patchcore_ensemble | core models/networks models/patchcore models/method.h
models/simplenet | core models/networks models/method.h
models/fastflow | core models/networks models/method.h
models/student_teacher | core models/networks models/blocks models/method.h
models/ast | core models/networks models/method.h
models/dsr | core models/networks models/blocks models/method.h
models/gcad | core models/networks models/blocks models/method.h
models          | core models
models/python/native | core data/codec
data/codec      | core
data/drawn      | core
data/source     | core data/codec
data/dataset    | core data/codec data/source
data/cache      | core data/codec data/source
data/loader     | core data/cache data/codec data/drawn data/source
data/torch      | core data/codec
train/support   | core data/dataset/csv_reader.h
train/config    | $support data train/efficientad/keys.def train/patchcore/keys.def train/patchcore_ensemble/keys.def train/simplenet/keys.def train/fastflow/keys.def train/student_teacher/keys.def train/ast/keys.def train/dsr/keys.def train/gcad/keys.def train/distill/keys.def
train/cli       | $support train/config models/methods.def
train/metrics   | $support data
train/report    | $support data train/config train/metrics
train/comparison | $support data train/config train/report
train/loop      | $support data autograd models/networks train/config
train/evaluate  | $support data models train/config train/metrics train/report
train/efficientad | $support data autograd models train/config train/loop train/fit.h
train/patchcore | $support data autograd models train/config train/loop train/synth train/fit.h
train/simplenet | $support data autograd models train/config train/loop train/fit.h train/feature_fit.h
train/fastflow | $support data autograd models train/config train/loop train/fit.h train/feature_fit.h
train/student_teacher | $support data autograd models train/config train/loop train/fit.h
train/ast | $support data autograd models train/config train/loop train/fit.h train/feature_fit.h
train/dsr | $support data autograd models train/config train/loop train/fit.h
train/gcad | $support data autograd models train/config train/loop train/student_teacher train/fit.h
train/patchcore_ensemble | $support data autograd models train/config train/loop train/fit.h train/patchcore
train/distill   | $support data autograd models train/config train/loop train/fit.h
train/ranks     | core
train/export    | $support models
train/import    | $support data models
train/page      | $support data models train/evaluate train/metrics train/report train/serve/exchange.h
train/serve     | $support data models train/evaluate train/metrics train/report train/page
train/service   | $support data models train/cli train/config train/page train/serve
train/camera    | core
train/journal   | $support data train/evaluate train/camera
train/receivers | $support train/journal
train/watch     | $support data models train/evaluate train/metrics train/camera train/journal train/receivers train/serve
train/synth     | core data/codec data/drawn train/support
train/sweep     | $support data train/config train/metrics train/report
train/forecast  | $support data models train/config train/loop train/sweep train/fit.h train/pace.h
train/command   | core data models autograd train
train           | core data models autograd train
bench/simulation | core
bench           | core data models autograd train
"
failed=0
for folder in $(find core autograd models data train bench -type d | grep -v -e core/ops/ -e core/simd/ -e core/cuda/ -e results -e rivals -e scripts -e weights); do
    [ -n "$(find "$folder" -maxdepth 1 -name '*.[ch]' -o -maxdepth 1 -name '*.cu*')" ] || continue
    allowed=$(echo "$rows" | sed -n "s,^$folder *|,,p")
    if ! echo "$rows" | grep -q "^$folder *|"; then
        echo "error: $folder/ has no row in test/include_arrows.sh" >&2
        failed=1
        continue
    fi
    pattern=$(echo "$folder $allowed" | sed 's/^ *//; s/ *$//; s/  */|/g')
    below=$([ "$folder" = core/ops ] || [ "$folder" = core/simd ] || [ "$folder" = core/cuda ] || echo "-maxdepth 1")
    # shellcheck disable=SC2086 # options
    bad=$(find "$folder" $below \( -name '*.[ch]' -o -name '*.cu*' -o -name '*.def' \) -exec grep -nE '^ *# *include *"' /dev/null {} + |
        grep -vE "include *\"($pattern)([/.]|\")|include *\"$folder" | grep -v _target.cuh || true)
    if [ -n "$bad" ]; then
        printf '%s\n' "$bad" "error: $folder/ may include only:$allowed" >&2
        failed=1
    fi
done
circles=$(find core autograd models data train bench test \( -name '*.[ch]' -o -name '*.cu*' -o -name '*.cpp' \) \
    -exec grep -E '^ *# *include *"' /dev/null {} + | sed -E 's/^([^:]*): *# *include *"([^"]*)".*/\1 \2/' |
    tsort 2>&1 >/dev/null | sed 's/^tsort: -: input contains a loop:/error: files include each other in a circle:/; s/^tsort: /    /')
if [ -n "$circles" ]; then
    printf '%s\n' "$circles" >&2
    failed=1
fi
for folder in $(find core autograd models data train bench configs test -type d ! -path "test/golden/*" ! -path "test/fuzz/seeds*"); do
    count=$(find "$folder" -maxdepth 1 -type f | wc -l)
    [ "$count" -le 25 ] || { echo "error: $folder/ holds $count files; at most 25" >&2; failed=1; }
done
exit $failed
