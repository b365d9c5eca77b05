#!/usr/bin/env bash
# A mount in use cannot be unmounted; unmounted lazily it works on for those who
# have it open, and the daemon ends when the last of them has.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
mount_fs ram=8m,size=64m
echo first >"$mnt/file"
exec {open}<>"$mnt/file"
if fusermount3 -u "$mnt" 2>/dev/null; then
    fail "unmounted although a file is open"
fi
is_mounted || fail "the refused unmount has unmounted"
fusermount3 -uz "$mnt" || fail "lazy unmount"
is_mounted && fail "still mounted"
echo more >&$open || fail "an open file cannot be written after a lazy unmount"
gone "$daemon" && fail "the daemon ended with a file open"
exec {open}>&-
wait_until 10 gone "$daemon" || fail "the daemon does not end after the last close"
wait "$daemon" || fail "the daemon ends with status $?"
daemon=
