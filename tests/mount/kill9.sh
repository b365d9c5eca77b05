#!/usr/bin/env bash
# After kill -9 of the daemon users see ENOTCONN, a plain fusermount3 -u and a new
# mount work, and nothing is left where its swap was.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon

fails_with() {
    local wanted=$1 out
    shift
    if out=$(LC_ALL=C "$@" 2>&1); then
        fail "$* works on a dead mount"
    fi
    [[ $out == *"$wanted"* ]] || fail "$*: $out, not $wanted"
}

mount_fs ram=8m,size=256m
"$HELPERS/blob" write 1 $((64 << 20)) "$mnt/file"
exec {open}<"$mnt/file"
(while :; do head -c 1000000 /dev/zero >>"$mnt/growing"; done) 2>/dev/null &
writer=$!
sleep 1
stat "$mnt" >/dev/null
kill -9 "$daemon"
wait_until 10 gone "$daemon" || fail "the daemon survives kill -9"
wait "$daemon" 2>/dev/null || true
kill "$writer" 2>/dev/null || true
# The kernel ends a ring's requests a moment after the process.
disconnected() {
    [[ $(LC_ALL=C stat "$mnt/file" 2>&1) == *'not connected'* ]]
}
wait_until 10 disconnected || true
fails_with 'not connected' stat "$mnt/file"
fails_with 'not connected' ls "$mnt"
fails_with 'not connected' dd if=/dev/fd/$open bs=1M count=64 skip=32
# What the kernel still knows of the directory does not hide it.
mounts=$(grep -c " $mnt " /proc/self/mountinfo)
refused 'dead mount' "$PAGERFS" -o "ram=8m,swap=$swap" source "$mnt"
[[ $(grep -c " $mnt " /proc/self/mountinfo) == "$mounts" ]] ||
    fail "a mount on the dead one"
exec {open}<&-
[[ -z $(ls -A "$swap") ]] || fail "left in the swap directory: $(ls -A "$swap")"
fusermount3 -u "$mnt" || fail "fusermount3 -u of a dead mount"
is_mounted && fail "it is still mounted"
[[ -z $(ls -A "$mnt") ]] || fail "the mount point is not empty"

mount_fs ram=8m,size=256m
[[ -z $(ls -A "$mnt") ]] || fail "the new mount is not empty"
"$HELPERS/blob" write 2 $((32 << 20)) "$mnt/file"
"$HELPERS/blob" read 2 $((32 << 20)) "$mnt/file"
umount_fs
[[ -z $(ls -A "$swap") ]] || fail "left in the swap directory: $(ls -A "$swap")"
