#!/bin/sh
# No type of the product has the name of another, and no type of a test that of a header or of an Ead type; names of
# source files are unique, but for the twins that the host runner has of headers in core/cuda/device/.
sources=$(find core autograd models data train bench test -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp')
# shellcheck disable=SC2086 # many files
twice=$(awk '
    /^(typedef .*)?} [A-Za-z_0-9]+;/ || /^typedef [^(){}]*[ *][A-Za-z_0-9]+[[(;]/ || /^typedef .*\(\*[A-Za-z_0-9]+\)\(/ {
        name = $0
        if (name ~ /\(\*/) { sub(/.*\(\*/, "", name); sub(/\).*/, "", name) }
        else { sub(/.*} | __attribute__.*/, "", name); sub(/[[(;].*/, "", name); sub(/.*[ *]/, "", name) }
        # A type announced first ("typedef struct X X;") and defined later counts once.
        if ($0 ~ ("^typedef (struct|enum|union) " name " " name ";")) next
        if (!((name, FILENAME) in seen)) { seen[name, FILENAME]; files[name] = files[name] " " FILENAME; count[name]++; product[name] += FILENAME !~ /^test/ }
    }
    END {
        for (name in count)
            if (count[name] > 1 && (name ~ /^Ead/ || files[name] ~ /\.(h|cuh)( |$)/ || product[name] > 1)) print "type " name " is defined in" files[name]
    }' $sources)
names=$(echo "$sources" | grep -v '_target\.cuh$' | sed 's,.*/,,' | sort | uniq -d | sed 's/$/ names two files/')
[ -z "$twice$names" ] && exit
printf '%s\n%s\n' "$twice" "$names"
exit 1
