#!/bin/sh
# The Debian packages in a fresh Debian that has nothing else: installed, used, upgraded, removed. As root; needs debootstrap
# and Debian's packages.
#
#     clean_system.sh PACKAGES FOLDER      PACKAGES: build/deb; FOLDER: for the system, made if it is not there
set -eu
packages=$1
root=$2
[ -x "$root/bin/sh" ] || debootstrap --variant=minbase bookworm "$root"
inside() { # shell commands
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -euc "$1"
}
mounted=
clean_up() { [ -z "$mounted" ] || umount "$root/proc"; }
trap clean_up EXIT
[ -e "$root/proc/self" ] || { mount -t proc proc "$root/proc" && mounted=1; }
cp /etc/resolv.conf "$root/etc/resolv.conf"
inside 'rm -rf /trial && mkdir -p /trial/debs /trial/newer'
cp "$packages"/*.deb "$root/trial/debs/"

inside 'apt-get update -q && apt-get install -q -y --no-install-recommends /trial/debs/*.deb gcc libc6-dev pkg-config'
inside 'cd /trial && efficientad doctor && man_page=$(dpkg -L efficientad | grep /man1/) && zcat "$man_page" | grep -q "^.TH EFFICIENTAD"
    efficientad synth --output data --size 128 --train 5 --test-good 1 --test-defect 1 --textures 2
    efficientad train data/gasket/train/good --output run --quiet --set model.image_size=128 --set train.steps=2 --set penalty.path=drawn
    efficientad predict --quiet --model run/model.safetensors data/gasket/test/good >said
    cp -r /usr/share/doc/libefficientad-dev/examples . && cd examples
    cc -std=c11 -Wall -Werror -o score_image score_image.c $(pkg-config --cflags --libs efficientad)
    printf "P6\n64 48\n255\n%09216d" 7 >image.ppm
    ./score_image ../run/model.safetensors image.ppm || test $? = 1
    cat ../said'

# A later version takes the place of this one, and leaves nothing behind when it goes.
for deb in "$root"/trial/debs/*.deb; do
    rm -rf "$root/trial/tree"
    dpkg-deb -R "$deb" "$root/trial/tree"
    version=$(dpkg-deb -f "$deb" Version)
    sed -i "s/^Version: .*/Version: $version+1/; s/(= $version)/(= $version+1)/" "$root/trial/tree/DEBIAN/control"
    dpkg-deb -b "$root/trial/tree" "$root/trial/newer/" >/dev/null
done
inside 'apt-get install -q -y --no-install-recommends /trial/newer/*.deb && test "$(dpkg -l | grep -c "^ii.*efficientad.*+1")" = 4
    cd /trial && efficientad predict --quiet --model run/model.safetensors data/gasket/test/good | cmp - said
    apt-get purge -q -y efficientad efficientad-data libefficientad-dev libefficientad0
    left=$(find / -xdev -path /trial -prune -o -path /proc -prune -o -path "/var/log/*" -o -iname "*efficientad*" -print)
    test -z "$left$(dpkg -l | grep efficientad)" || { echo "left: $left" >&2; exit 1; }'
echo "installed, used, upgraded and removed"
