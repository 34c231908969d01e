#!/bin/sh
# The second half of `make portable`: what the programs in FOLDER/bin and FOLDER/test need is put beside them, and then tried out.
#
#     portable.sh collect FOLDER CUBLAS    copies shared libraries, teachers, configs, documents; CUBLAS: the folder of
#                                          cuBLAS, which fp32 on CUDA loads at run time, or "" to leave it out
#     portable.sh check FOLDER             runs a copy of it from another place, with an empty environment
#
# Not copied: the C library, which the programs must not bring along, and the GPU's driver.
set -eu
folder=$2
from_system='^(linux-vdso|ld-linux.*|libc|libm|libpthread|libdl|librt|libresolv|libutil|libcuda)\.so'

# "name path" of each library that a program needs.
libraries() { # program...
    for program in "$@"; do ldd "$program"; done | awk '$2 == "=>" { print $1, $3 }' | sort -u |
        grep -vE "$from_system"
}

programs() { # folder
    ls "$1"/bin/* "$1"/test/* 2>/dev/null || true
}

collect() { # cublas
    mkdir -p "$folder/lib" "$folder/models/weights" "$folder/configs"
    libraries $(programs "$folder") | while read -r name path; do
        case $path in
        */../lib/*) ;; # there from an earlier time
        *) cp -L "$path" "$folder/lib/$name" ;;
        esac
    done
    if [ -n "$1" ]; then
        cp -Lu "$1"/libcublas.so.?? "$1"/libcublasLt.so.?? "$folder/lib/"
    else
        rm -f "$folder"/lib/libcublas*
    fi
    cp models/weights/*.safetensors "$folder/models/weights/"
    cp -r configs/*.yaml configs/paper configs/smoke "$folder/configs/"
    cp -r README.md LICENSE NOTICE docs "$folder/"
}

fail() {
    echo "portable.sh: $*" >&2
    exit 1
}

check() {
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/portable.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    mkdir "$scratch/moved"
    for part in lib models configs; do ln -s "$(realpath "$folder")/$part" "$scratch/moved/$part"; done
    for part in bin test; do # copies: $ORIGIN follows no links of folders
        [ ! -e "$folder/$part" ] || cp -r "$folder/$part" "$scratch/moved/$part"
    done
    outside=$(libraries $(programs "$scratch/moved") | awk -v home="$scratch/moved/" 'index($2, home) != 1')
    [ -z "$outside" ] || fail "not in the folder: $outside"
    cd "$scratch"
    run() { env -i moved/bin/efficientad "$@" 2>"$scratch/errors" || { cat "$scratch/errors" >&2; fail "efficientad $1 failed"; }; }
    run --backends >/dev/null
    run synth --output data --category gasket --size 128 --train 3 --test-good 1 --test-defect 1 --textures 2
    run train --set dataset.type=mvtec_ad --set dataset.path=data --set dataset.category=gasket \
        --set penalty.path=data/textures --set model.image_size=128 --set train.steps=1 --output run --quiet
    run predict --model run/model.safetensors data/gasket/test/good --quiet | grep -q '"score"' || fail "no score"
}

case $1 in
collect) collect "$3" ;;
check) check ;;
*) fail "unknown: $1" ;;
esac
