#!/bin/sh
# make demo: from a fresh Debian or Ubuntu to a trained model and its report, in a few minutes on two cores.
# Draws a small data set, trains on it, evaluates, prints the result table and where the report lies. Starts
# over every time, in build/demo.
#
# A shorter version, for CI: DEMO_STEPS=20 DEMO_TRAIN=12 DEMO_TEST_GOOD=4 DEMO_TEST_DEFECT=1 DEMO_TEXTURES=8
set -eu
cd "$(dirname "$0")/../.."
demo=build/demo
program=build/efficientad
started=$(date +%s)
# Waiting threads sleep: costs little on an idle machine and saves most of the time on a busy one.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
say() {
    printf '\n== %s\n' "$*"
}

say "building $program"
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -j"$(nproc)" all

say "drawing the data set: $demo/data"
rm -rf "$demo"
$program synth --output $demo/data --category gasket --train "${DEMO_TRAIN:-60}" \
    --test-good "${DEMO_TEST_GOOD:-20}" --test-defect "${DEMO_TEST_DEFECT:-5}" --textures "${DEMO_TEXTURES:-40}"

say "training and evaluating: $program train -c configs/tiny.yaml"
$program train -c configs/tiny.yaml ${DEMO_STEPS:+--set train.steps="$DEMO_STEPS"}

say "done in $(($(date +%s) - started)) s; the report: $demo/run/report.html"
