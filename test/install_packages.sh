#!/bin/sh
# Installs what the build and the tests need, where it is missing: asks pkg-config, says what it will do, and
# calls apt-get (through sudo if need be). Debian and Ubuntu; elsewhere it names what to install and fails.
# Does nothing, silently, where nothing is missing.
set -eu

packages=
need_program() { # program package
    command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}
need_library() { # pkg-config name, package
    pkg-config --exists "$1" 2>/dev/null || packages="$packages $2"
}

need_program gcc gcc
need_program g++ g++
need_program make make
need_program pkg-config pkg-config
# A compiler without the C library's headers is of no use.
echo '#include <stdio.h>' | gcc -E - >/dev/null 2>&1 || packages="$packages libc6-dev"
need_library libpng libpng-dev
need_library libjpeg libjpeg-dev
need_library libtiff-4 libtiff-dev
need_library yaml-0.1 libyaml-dev
need_library jansson libjansson-dev
need_library libzip libzip-dev
need_library openblas libopenblas-openmp-dev
need_library check check
packages=${packages# }
[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing: $packages (Debian's names); install them with your system's package manager" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "missing packages; as root, run: apt-get update && apt-get install -y $packages" >&2
    exit 1
fi
echo "installing by ${as_root:+$as_root }apt-get: $packages" >&2
$as_root apt-get update -q >&2
# shellcheck disable=SC2086 # several packages
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages >&2
