#!/bin/sh
# make trial-debian: the first hour on a machine that has nothing. Into a Debian 12 of the minimal kind (debootstrap, as root,
# kept in build/trial) come git and make, a clone of what is committed, and the photographs of `make trial`; then the README's
# commands for own photographs run there as they stand. Fails if these are more than three or take more than eight
# minutes, which they do on a busy machine, or if a defect is missed or a good part called defective.
#
#     trial_debian.sh TEST    the test program that draws the photographs; MIRROR: of Debian's packages, if not debootstrap's own
set -eu
draw=$1
root=build/trial/debian
photos=build/scratch/test_own_photographs/photos
home=$root/root/efficientad
enter() { chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "$1"; }

# A tree that an earlier trial has filled with packages would prove nothing.
mkdir -p build/trial
[ -d build/trial/minimal ] || debootstrap --variant=minbase bookworm build/trial/minimal ${MIRROR:+"$MIRROR"}
rm -rf $root
cp -a build/trial/minimal $root
mount -t proc proc $root/proc
trap 'umount $root/proc' EXIT

enter "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends git make ca-certificates" >build/trial/log 2>&1
git clone -q --bare . $root/root/source.git
enter "git clone -q /root/source.git /root/efficientad"
TRIAL=draw "$draw"
cp -r $photos $home/

sed -n '/^## Your own photographs/,/^##* [^Y]/ s/^    //p' README.md | sed 's/  *#.*//' >build/trial/commands
[ "$(wc -l <build/trial/commands)" -le 3 ]
begun=$(date +%s)
while read -r command; do
    from=$(date +%s)
    enter "cd /root/efficientad && $command" </dev/null >build/trial/out 2>>build/trial/log
    echo "$(($(date +%s) - from)) s: $command"
done <build/trial/commands
seconds=$(($(date +%s) - begun))

cut -d, -f1-3 build/trial/out
missed=$(grep -v /good_ build/trial/out | grep -c '"anomalous":false' || true)
alarms=$(grep /good_ build/trial/out | grep -c '"anomalous":true' || true)
scored=$(grep -c '"anomalous":' build/trial/out || true)
echo "$seconds s in all, load $(cut -d' ' -f1-2 /proc/loadavg); of $scored photographs $missed defective ones missed, $alarms good ones called defective"
[ "$scored" -eq 12 ] && [ "$missed" -eq 0 ] && [ "$alarms" -eq 0 ] && [ $seconds -le 480 ]
