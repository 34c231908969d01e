#!/bin/sh
# How well does `sweep --dry-run` foretell hours and gigabytes? Scales Table 1 of the paper down to one category, one seed
# and few steps, lets the dry run say what it takes, runs it, prints both. Some 6 minutes on two idle cores.
#
#   bench/scripts/sweep_forecast.sh FOLDER_OF_MVTEC_AD CATEGORY FOLDER_OF_PHOTOGRAPHS
set -eu
cd "$(dirname "$0")/../.."
[ $# -eq 3 ] || {
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}
work=build/sweep_forecast
rm -rf "$work"
mkdir -p "$work"
cat >"$work/sweep.yaml" <<CONFIG
title: "Table 1, scaled down"
output: $work/runs
base: ../../configs/efficientad_s.yaml
collections: collections.yaml
variants:
  small: {train.steps: 150}
  medium: {model.size: medium, train.steps: 60}
  patchcore: {model.method: patchcore, model.image_size: 224, patchcore.coreset_ratio: 0.1}
  patchcore_ensemble:
    model: {method: patchcore_ensemble, image_size: 320}
    patchcore: {width: 384, coreset_ratio: 0.01}
    patchcore_ensemble.fusion: test
  simplenet: {model.method: simplenet, simplenet.epochs: 1}
  fastflow: {model.method: fastflow, fastflow.epochs: 1}
seeds: [1]
CONFIG
cat >"$work/collections.yaml" <<COLLECTIONS
mvtec_ad:
  config: {dataset.type: mvtec_ad, dataset.path: $1}
  categories: [$2]
COLLECTIONS
begin=$(date +%s)
build/efficientad sweep "$work/sweep.yaml" --dry-run --set "penalty.path=$3"
echo "to say so took $(($(date +%s) - begin)) s"
begin=$(date +%s)
build/efficientad sweep "$work/sweep.yaml" --set "penalty.path=$3" >"$work/log" 2>&1 || {
    tail "$work/log"
    exit 1
}
grep finished "$work/log"
bytes() { du -sk "$@" | awk '{ s += $1 } END { printf "%.3f GB", s * 1024e-9 }'; }
echo "took $(($(date +%s) - begin)) s and $(bytes "$work/runs"), of it models $(bytes "$work"/runs/*/*/*/*/model.safetensors), caches $(bytes "$work/runs/cache")"
