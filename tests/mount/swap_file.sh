#!/usr/bin/env bash
# The swap file is of mode 0600 and has no name, whether swap= names a directory,
# an empty file, or one that is not there; a file with something in it is refused
# and left as it was.
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

works_in() {
    local files
    mount_fs "ram=8m,size=100m,swap=$1"
    exercise "swap=$1"
    [[ -z $(ls -A "$swap") ]] || fail "the swap file has a name: $(ls -A "$swap")"
    files=$(swap_files)
    [[ $(wc -l <<<"$files") == 1 ]] || fail "open in swap=: $files"
    [[ $(stat -L -c '%a %h' "$files") == "600 0" ]] ||
        fail "mode and links of the swap file: $(stat -L -c '%a %h' "$files")"
    (($(stat -L -c %b "$files") * 512 >= 48 << 20)) || fail "nothing was paged out"
    umount_fs
}

works_in "$swap"
works_in "$swap/absent"
: >"$swap/empty"
works_in "$swap/empty"

echo "somebody's" >"$swap/used"
if "$PAGERFS" -o "ram=8m,size=100m,swap=$swap/used" source "$mnt" 2>"$work/err"; then
    fail "a file with something in it is taken for swap"
fi
[[ $(wc -l <"$work/err") == 1 ]] || fail "not one line: $(cat "$work/err")"
[[ $(cat "$swap/used") == "somebody's" ]] || fail "the refused file has been changed"
