#!/bin/sh
# The shared library exports the functions that models/efficientad.h declares, and nothing else; it needs no BLAS and no
# image formats.
command -v nm >/dev/null || {
    echo "skipped: nm is not here"
    exit 77
}
public=$(sed -n 's/^EAD_API .*[ *]\(ead_[a-z_]*\)(.*/\1/p' models/efficientad.h | sort)
exported=$(nm -D --defined-only "$LIBRARY.so" | awk '{ print $3 }' | sort)
needed=$(objdump -p "$LIBRARY.so" | grep NEEDED | grep -E 'blas|png|jpeg|tiff|webp|yaml|zip|libz')
[ -z "$needed" ] || {
    echo "needed: $needed"
    exit 1
}
[ "$public" = "$exported" ] && exit
printf 'public:\n%s\nexported:\n%s\n' "$public" "$exported"
exit 1
