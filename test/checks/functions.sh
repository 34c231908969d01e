#!/bin/sh
# No function of the product is longer than 80 lines, and half of them keep to 15.
ctags --version 2>/dev/null | grep -q 'Universal Ctags' || {
    echo "skipped: universal ctags is not here"
    exit 77
}
find core autograd models data train bench -name '*.[ch]' -o -name '*.cu*' |
    ctags --languages=C,CUDA --langmap=CUDA:.cu.cuh --kinds-C=f --kinds-CUDA=f --fields=ne -o - -L - |
    awk -F'\t' '
        {
            first = last = 0
            for (i = 4; i <= NF; i++) {
                if ($i ~ /^line:/) first = substr($i, 6)
                if ($i ~ /^end:/) last = substr($i, 5)
            }
            if (!first || !last) next
            lines = last - first + 1
            counts[lines]++
            functions++
            if (lines > 80) { print $2 ": " $1 "() has " lines " lines; at most 80"; bad = 1 }
        }
        END {
            for (median = 0; 2 * below < functions; ) below += counts[++median]
            print functions " functions, half of them within " median " lines"
            exit bad || !functions || median > 15
        }'
