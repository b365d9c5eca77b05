#!/usr/bin/env bash
# A block device can be the swap: the mount has what it and ram= hold, not more.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need_root
need losetup
truncate -s 70000000 "$work/disk" # not a multiple of anything
device=$(losetup --show -f "$work/disk" 2>/dev/null) || skip "no loop device"
at_exit "losetup -d $device"

mount_fs "ram=8m,size=64m,swap=$device"
mkdir "$mnt/files"
"$HELPERS/filler" fill "$mnt/files" 2 "$work/ledger" || fail "filling"
"$HELPERS/filler" verify "$mnt/files" "$work/ledger" || fail "verifying"
rm -r "$mnt/files"
umount_fs

# More than the device holds is refused, and so is a device in use as such.
if "$PAGERFS" -o "ram=8m,size=200m,swap=$device" source "$mnt" 2>"$work/err"; then
    fail "size=200m on a device of 70 MB is accepted"
fi
[[ $(wc -l <"$work/err") == 1 ]] || fail "not one line: $(cat "$work/err")"
is_mounted && fail "mounted nevertheless"
true
