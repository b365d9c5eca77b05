#!/usr/bin/env bash
# Several swap= are used at once: the highest priority first, equal ones in turn;
# the same place twice is refused.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon

mkdir "$work/a" "$work/b" "$work/c"

# MiB of disk behind the swap file that was made in a folder.
disk() {
    local file
    file=$(find "/proc/$daemon/fd" -lname "$1/*")
    echo $(($(stat -L -c %b "$file") * 512 >> 20))
}

mount_fs "ram=8m,size=100m,swap=$work/a:pri=1:size=200m,swap=$work/b:pri=2:size=32m,swap=$work/c:pri=2:size=32m"
"$HELPERS/blob" write 1 $((90 << 20)) "$mnt/file" || fail "writing"
uncache <<<"$mnt/file"
"$HELPERS/blob" read 1 $((90 << 20)) "$mnt/file" || fail "reading"
say "disk: a $(disk "$work/a") MiB, b $(disk "$work/b") MiB, c $(disk "$work/c") MiB"
(($(disk "$work/b") >= 30 && $(disk "$work/c") >= 30)) ||
    fail "the higher priority is not used up"
(($(disk "$work/a") >= 15)) || fail "the lower priority is not used"
umount_fs

if "$PAGERFS" -o "ram=8m,size=100m,swap=$work/a,swap=$work/a" source "$mnt" 2>"$work/err"; then
    fail "the same place twice is taken"
fi
grep -q "named twice" "$work/err" || fail "it says: $(cat "$work/err")"
