#!/usr/bin/env bash
# swap= in a directory is an unlinked file of mode 0600, which nobody else can
# find; swap= a named file is used, and may be given again afterwards.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon

# The daemon's open files below our folder.
swap_files() {
    find "/proc/$daemon/fd" -lname "$work/*" ! -lname "$log" 2>/dev/null
}

exercise() {
    "$HELPERS/blob" write 1 $((64 << 20)) "$mnt/file" || fail "$1: writing"
    "$HELPERS/blob" read 1 $((64 << 20)) "$mnt/file" || fail "$1: reading"
}

mount_fs ram=8m,size=100m
exercise "in a directory"
[[ -z $(ls -A "$swap") ]] || fail "the swap file has a name: $(ls -A "$swap")"
files=$(swap_files)
[[ $(wc -l <<<"$files") == 1 ]] || fail "open in swap=: $files"
[[ $(stat -L -c '%a %h' "$files") == "600 0" ]] ||
    fail "mode and links of the swap file: $(stat -L -c '%a %h' "$files")"
(($(stat -L -c %b "$files") * 512 >= 48 << 20)) || fail "nothing was paged out"
umount_fs

: >"$work/swapfile"
chmod 600 "$work/swapfile"
for round in 1 2; do
    mount_fs "ram=8m,size=100m,swap=$work/swapfile"
    exercise "in a named file, round $round"
    umount_fs
    [[ -f $work/swapfile ]] || fail "the file we gave is gone"
done
