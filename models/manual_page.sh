#!/bin/sh
# Writes the manual page efficientad(1) from what the program says of itself.
#
#     manual_page.sh PROGRAM VERSION
set -eu
program=$1
# Lines as they are, in roff.
text() {
    sed 's/\\/\\e/g; s/-/\\-/g; s/^\([.'\'']\)/\\\&\1/'
}
section() { # title; the text comes by stdin
    printf '.SH %s\n.nf\n' "$1"
    text
    echo .fi
}
printf '.TH EFFICIENTAD 1 "" "efficientad %s" "User Commands"\n' "$2"
printf '.SH NAME\nefficientad \\- trains, measures and runs visual anomaly detection\n'
"$program" --help | section "SYNOPSIS AND COMMANDS"
for command in $("$program" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    "$program" "$command" --help | section "efficientad $command" | sed "1s/.*/.SH EFFICIENTAD $(echo "$command" | tr a-z A-Z)/"
done
"$program" --help-config | section "CONFIG KEYS"
