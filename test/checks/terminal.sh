#!/bin/sh
# What goes to stderr goes through ead_print(), which keeps control characters of names from terminals; but for the
# progress line, which makes its own.
bad=$(grep -rnE '\bfprintf\( *stderr|\bvfprintf\( *stderr|\bperror\(' --include=*.c core autograd models data train bench |
    grep -v '^train/support/progress\.c:' || true)
[ -z "$bad" ] && exit
printf '%s\nwrite ead_print(stderr, ...) of core/base/printing.h\n' "$bad"
exit 1
