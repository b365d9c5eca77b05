#!/usr/bin/env bash
# Swap on a FUSE mount, on our own mount point or on a loop device over one is
# refused with a line that says so: it would be paging into itself.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
mount_fs ram=8m,size=128m
mkdir "$mnt/dir" "$work/second"
: >"$mnt/file"

refuse() {
    local status=0
    timeout 20 "$PAGERFS" -o "ram=8m,size=32m,swap=$1" source "$work/second" \
        2>"$work/err" || status=$?
    is_mounted "$work/second" && fail "swap=$1 is accepted"
    ((status != 0 && status < 124)) || fail "swap=$1: status $status"
    [[ $(wc -l <"$work/err") == 1 ]] || fail "not one line: $(cat "$work/err")"
    grep -q "$1" "$work/err" || fail "it does not name the place: $(cat "$work/err")"
}

refuse "$mnt/dir"
refuse "$mnt/file"
refuse /proc
# shellcheck disable=SC2088  # it is not to be expanded
refuse '~/swap'
# The mount point itself, which is about to be covered.
timeout 20 "$PAGERFS" -o "ram=8m,size=32m,swap=$work/second" source "$work/second" \
    2>"$work/err" && fail "swap in the mount point is accepted"
is_mounted "$work/second" && fail "swap in the mount point is mounted"

if [[ $(id -u) == 0 ]] && command -v losetup >/dev/null; then
    truncate -s 40m "$mnt/file"
    if device=$(losetup --show -f "$mnt/file" 2>/dev/null); then
        at_exit "losetup -d $device 2>/dev/null"
        refuse "$device"
        losetup -d "$device"
        wait_until 5 test ! -e "/sys/block/$(basename "$device")/loop/backing_file" ||
            fail "the loop device stays"
    fi
fi
umount_fs
