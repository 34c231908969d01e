#!/bin/sh
# Where the packages are there, `make test` installs nothing and asks nobody for root; the Makefile stays short.
export CC="${CC:-cc}"
lines=$(wc -l <Makefile)
[ "$lines" -le 120 ] || { echo "Makefile: $lines lines; at most 120"; exit 1; }
steps=$(env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -n test 2>&1) || { echo "$steps" | tail -5; exit 1; }
! echo "$steps" | grep -E 'apt-get|sudo|packages\.sh'
