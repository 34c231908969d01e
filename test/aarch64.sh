#!/bin/sh
# What a build for 64-bit ARM finds on that machine: Debian's libraries for it, unpacked into a folder and not installed
# here. Needs apt-get with a network, not root. A folder that is whole is left alone.
#
#     aarch64.sh FOLDER
set -eu
folder=$1
[ ! -e "$folder/whole" ] || exit 0
for program in aarch64-linux-gnu-gcc qemu-aarch64-static; do
    command -v $program >/dev/null || {
        echo "$program is missing: apt-get install gcc-aarch64-linux-gnu qemu-user-static" >&2
        exit 1
    }
done
rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
apt=$(realpath "$folder/apt")
: >"$apt/status"
cat >"$apt/conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Binary::apt-get::APT::Keep-Downloaded-Packages "true";
END
export APT_CONFIG="$apt/conf"
apt-get update -q >&2
apt-get install -q -y --download-only libc6-dev libgomp1 libpng-dev zlib1g-dev libjpeg62-turbo-dev libtiff-dev libwebp-dev \
    libyaml-dev libjansson-dev libzip-dev check libopenblas-openmp-dev >&2
for package in "$apt"/archives/*.deb; do dpkg-deb -x "$package" "$folder"; done
rm -rf "$apt"
# Where an installation would put it.
ln -s openblas-openmp/libopenblas.so.0 "$folder/usr/lib/aarch64-linux-gnu/"
touch "$folder/whole"
