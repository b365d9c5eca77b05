#!/usr/bin/env bash
# pagerctl gives a mount more swap while it is in use, and takes it away again:
# what lies there moves elsewhere, and is refused if it would not fit.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need python3
mkdir "$work/more" "$work/small"
chmod 755 "$work/more"

# used PLACE: as the list has it; nothing if it is not there.
used() {
    "$PAGERCTL" swapon "$mnt" | awk -v place="$1" '$1 == place {print $3}'
}

options=ram=8m,size=64m
[[ $(id -u) != 0 ]] || options+=,allow_other
mount_fs "$options"
"$HELPERS/blob" write 1 $((32 << 20)) "$mnt/file" >/dev/null
[[ $(used "$swap") == *M ]] || fail "nothing is on $swap: $(used "$swap")"
[[ -z $(used "$work/more") ]] || fail "$work/more is there already"

refused "pagerctl swapon" "$PAGERCTL" set size=128m "$mnt"
"$PAGERCTL" swapon "$mnt" "$work/more" size=64m priority=3 || fail "swapon"
[[ $(stat -f -c %b "$mnt") == 16384 ]] || fail "swap alone is no more space"
"$PAGERCTL" set size=128m "$mnt" || fail "what swapon was for"
"$PAGERCTL" set size=64m "$mnt" || fail "back to 64m"
[[ $(used "$work/more") == 0 ]] || fail "the new area: $(used "$work/more")"
refused "is swap of this mount already" \
    "$PAGERCTL" swapon "$mnt" "$work/more" size=1m
"$PAGERCTL" swapoff "$mnt" "$swap" || fail "swapoff"
[[ -z $(used "$swap") ]] || fail "$swap is still there"
[[ $(used "$work/more") == *M ]] || fail "nothing has moved"
"$HELPERS/blob" read 1 $((32 << 20)) "$mnt/file" >/dev/null || fail "changed"

(cd "$work" && "$PAGERCTL" swapon mnt small size=4m) || fail "relative"
listed() {
    "$PAGERCTL" swapon --json "$mnt" | json areas "$@"
}
[[ $(listed 0 name) == "$work/more" ]] || fail "JSON: $(listed)"
[[ $(listed 0 priority) == 3 && $(listed 0 leaving) == False ]] ||
    fail "JSON: $(listed)"
[[ $(listed 1 name) == "$work/small" && $(listed 1 blocks_max) == 1024 ]] ||
    fail "JSON: $(listed)"
(($(listed 0 blocks_used) > 0)) || fail "JSON: $(listed)"
misused "--json: is for the list" swapon --json "$mnt" "$swap" size=4m
refused "cannot go" "$PAGERCTL" swapoff "$mnt" "$work/more"
refused "is no swap of this mount" "$PAGERCTL" swapoff "$mnt" "$swap"
refused "say with size=" "$PAGERCTL" swapon "$mnt" "$swap"
refused "is more than swap can have" \
    "$PAGERCTL" swapon "$mnt" "$swap" size=100t
most=$(sed -n 's/.*4t with.*less than size=\([0-9]*\)m$/\1/p' "$work/err")
((most == (4 << 20) - 64 - 4)) || fail "the most is told to be ${most}m"
"$PAGERCTL" swapon "$mnt" "$swap" size=$((most - 128))m || fail "not even less"
"$PAGERCTL" swapoff "$mnt" "$swap" || fail "swapoff of much"
refused "FUSE mount" "$PAGERCTL" swapon "$mnt" "$mnt" size=4m
misused "size=none: is no size" swapon "$mnt" "$swap" size=none
misused "give a path on the mount and a place" swapoff "$mnt"
refused "is not on a pagerfs" "$PAGERCTL" swapoff "$work" "$swap"
if [[ $(id -u) == 0 ]] && as_user test -x "$PAGERCTL"; then
    refused "only root and the user" as_user "$PAGERCTL" swapon "$mnt"
    refused "only root and the user" \
        as_user "$PAGERCTL" swapon "$mnt" /var/tmp size=4m
    refused "only root and the user" \
        as_user "$PAGERCTL" swapoff "$mnt" "$work/more"
fi
rm "$mnt/file"
wait_until 10 "$PAGERCTL" swapoff "$mnt" "$work/more" 2>/dev/null ||
    fail "an area that is needed by nobody does not go"
"$HELPERS/blob" write 1 $((4 << 20)) "$mnt/file" >/dev/null || fail "writing on"
umount_fs

# Without a limit more swap is more space.
mount_fs ram=8m,size=0,swapsize=16m
before=$(stat -f -c %b "$mnt")
"$PAGERCTL" swapon "$mnt" "$work/more" size=64m || fail "swapon with size=0"
(($(stat -f -c %b "$mnt") > before + 12000)) ||
    fail "$before blocks were there, $(stat -f -c %b "$mnt") are"
umount_fs
