#!/bin/sh
# Runs test programs and scripts side by side, JOBS at a time (one more than processors: some wait), shows the output of each when it
# ends, and counts: every test of a Check suite, a script as one (exit code 77: skipped). Exit 1 if any failed. They
# get PROGRAM (the program under test), LIBRARY and BUILD from the Makefile; each keeps to a scratch folder of its own.
# RUN: an emulator that runs them.
#
#     run_all.sh TEST...
set -u
export PROGRAM LIBRARY BUILD
# Threads that wait sleep: on a busy machine spinning would take the time of those that work.
export OMP_WAIT_POLICY=passive
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}"

# Prints "passed failed skipped" of a finished test: Check's last line and the lines of what was skipped.
count() { # log, exit code
    awk -v code="$2" -v script="${1%.sh}" -v log_file="$1" '
        /^skipped: / { skipped++ }
        /^[0-9]+%: Checks: / { gsub(",", ""); checks = $3; failed = $5 + $7; summary = 1 }
        END {
            if (script != log_file) print (code == 0), (code != 0 && code != 77), (code == 77)
            else {
                if (!summary || (code != 0 && failed == 0)) failed++
                passed = checks - failed - skipped
                print (passed > 0 ? passed : 0), failed + 0, skipped + 0
            }
        }' "$1"
}

run_one() { # test
    name=$(basename "$1")
    log=$LOGS/$name
    begun=$(date +%s%N)
    case $1 in *.sh) set -- sh "$1" ;; esac
    # shellcheck disable=SC2086 # several words
    timeout "${TEST_SECONDS:-1800}" ${RUN:-} "$@" >"$log" 2>&1
    code=$?
    seconds=$(awk -v a="$begun" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }')
    counts=$(count "$log" "$code")
    echo "$seconds $name $counts" >>"$LOGS/results"
    { echo "== $name: $seconds s$([ "$code" -eq 124 ] && echo ", stopped")"; cat "$log"; } | flock "$LOGS" cat
}

if [ "$1" = --one ]; then
    run_one "$2"
    exit 0
fi
LOGS=$(mktemp -d "${TMPDIR:-/tmp}/efficientad.XXXXXX")
export LOGS
trap 'rm -rf "$LOGS"' EXIT
trap 'exit 130' INT TERM
begun=$(date +%s)
# A test that builds must leave the program as it is: others run it meanwhile.
program() {
    stat -c '%i %y' "${PROGRAM:-}" 2>/dev/null
}
tested=$(program)
# The longest first, by the times of an earlier run, or else of one elsewhere (test/times).
times=${BUILD:=build}/test_times
touch "$times" 2>/dev/null
for test in "$@"; do
    echo "$(awk -v name="$(basename "$test")" '$2 == name { print $1; exit }' "$times" "$(dirname "$0")/times") $test"
done | sort -rn | sed 's/.* //' | xargs -P "${JOBS:-$(($(nproc) + 1))}" -n 1 sh "$0" --one
sort -rn "$LOGS/results" >"$times"

awk '$4 > 0 { print "FAILED: " $2 }' "$LOGS/results"
anew=0
[ "$(program)" = "$tested" ] || { echo "FAILED: a test has built $PROGRAM anew"; anew=1; }
echo "$# test programs in $(($(date +%s) - begun)) s"
awk -v programs=$# -v anew=$anew '{ passed += $3; failed += $4; skipped += $5 }
    END { failed += programs - NR + anew; print passed + 0 " passed, " failed + 0 " failed, " skipped + 0 " skipped"; exit (failed > 0) }' "$LOGS/results"
