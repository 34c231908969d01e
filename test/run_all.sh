#!/bin/sh
# Runs the test programs given as arguments, each to its end, then says which failed. Exit 1 if any did.
# Programs get PROGRAM (the efficientad program under test) and LIBRARY from the Makefile.
export PROGRAM LIBRARY BUILD
# Threads that wait sleep: on a busy machine spinning would take the time of those that work.
export OMP_WAIT_POLICY=passive
failed=
for test in "$@"; do
    echo "== $(basename "$test")"
    "$test" || failed="$failed $(basename "$test")"
done
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "all $# test programs passed"
