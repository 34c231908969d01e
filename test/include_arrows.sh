#!/bin/sh
# Checks the direction of includes: each folder may include only the folders on its row.
set -eu
check() { # folder allowed...
    folder=$1
    shift
    allowed=$(echo "$@" | tr ' ' '|')
    bad=$(find "$folder" -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' | xargs grep -nE '^ *# *include *"' /dev/null |
        grep -vE "include *\"($allowed)/" || true)
    if [ -n "$bad" ]; then
        printf '%s\n' "$bad" "error: $folder/ may include only: $*" >&2
        exit 1
    fi
}
check core core
check autograd autograd core
check models models core
check data data core
check train train data models autograd core bench
check bench bench train data models autograd core
