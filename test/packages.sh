#!/bin/sh
# What the build and the tests need and this machine lacks, under Debian's names.
#
#     packages.sh list [FOR...]       names it
#     packages.sh install [FOR...]    installs it by apt-get, through sudo if need be, and says first what; elsewhere
#                                     it names it and fails
#
# FOR: goals of make (what the tests need is listed only for one that tests, and always installed); "fuzz"; "checks":
# what some tests of sources use and are skipped without; "packages": the same of tests of packages for others; "cases": what
# those beside the repository use. CC: the compiler; MPI, ARAVIS: as the Makefile has them.
set -eu
mode=$1
shift
goals=" $* "
compiler=${CC:-cc}
compiler=${compiler#ccache }
compiler=${compiler%% *}

packages=
need_program() { # program package
    command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}
need_library() { # pkg-config name, package
    pkg-config --exists "$1" 2>/dev/null || packages="$packages $2"
}

case $compiler in
*clang*)
    need_program "$compiler" clang
    echo '#include <omp.h>' | "$compiler" -fopenmp -E - >/dev/null 2>&1 || packages="$packages libomp-dev"
    ;;
*) need_program "$compiler" gcc ;;
esac
need_program pkg-config pkg-config
# A compiler without the C library's headers is of no use.
echo '#include <stdio.h>' | "$compiler" -E - >/dev/null 2>&1 || packages="$packages libc6-dev"
need_library libpng libpng-dev
need_library zlib zlib1g-dev
need_library libjpeg libjpeg-dev
need_library libtiff-4 libtiff-dev
need_library libwebpdemux libwebp-dev
need_library yaml-0.1 libyaml-dev
need_library jansson libjansson-dev
need_library libzip libzip-dev
need_camera() {
    need_library aravis-0.8 "libaravis-dev libusb-1.0-0-dev" # whose pkg-config file wants the second
}
[ "${ARAVIS:-0}" = 0 ] || need_camera
[ "${MPI:-0}" = 0 ] || need_library "$(echo "$MPI" | sed 's/^1$/ompi-c/')" "libopenmpi-dev openmpi-bin"
case $mode$goals in
install* | *test* | *check*)
    need_program g++ g++
    need_library check check
    need_library libmicrohttpd libmicrohttpd-dev
    need_library gnutls libgnutls28-dev
    need_library libmosquitto libmosquitto-dev
    need_library libcurl libcurl4-openssl-dev
    need_library sqlite3 libsqlite3-dev
    need_library openblas libopenblas-openmp-dev
    ;;
esac
case $goals in *fuzz*)
    need_program clang clang
    ls "$(clang -print-runtime-dir)"/libclang_rt.fuzzer* >/dev/null 2>&1 || packages="$packages libclang-rt-dev"
    ;;
esac
case $goals in *checks*)
    need_program clang-format clang-format
    need_program ctags universal-ctags
    need_program mosquitto mosquitto
    need_program mosquitto_sub mosquitto-clients
    need_camera
    ;;
esac
case $goals in *packages*)
    need_program mcs mono-mcs
    need_program dh debhelper
    need_program lintian lintian
    ;;
esac
case $goals in *cases*) /usr/bin/python3 -c 'import numpy, PIL' 2>/dev/null || packages="$packages python3-numpy python3-pil" ;; esac
packages=${packages# }

if [ "$mode" = list ]; then
    echo "$packages"
    exit 0
fi
if [ -z "$packages" ]; then
    echo "nothing is missing"
    exit 0
fi
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
