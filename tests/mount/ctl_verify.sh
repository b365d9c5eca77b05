#!/usr/bin/env bash
# pagerctl verify says that all is well, as often as it is asked, while eight
# threads write, truncate and delete with memory short, and swap comes and goes;
# only who mounted may ask.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need python3
mkdir "$work/more"
chmod 755 "$work/more"

# verify WHEN: all is well.
verify() {
    "$PAGERCTL" verify "$mnt" >"$work/out" 2>"$work/err" ||
        fail "$1: $(cat "$work/out" "$work/err")"
    grep -q '^all is well$' "$work/out" || fail "$1: $(cat "$work/out")"
}

# swaps: it comes and goes until $work/stop is there.
swaps() {
    while [[ ! -e $work/stop ]]; do
        "$PAGERCTL" swapon "$mnt" "$work/more" size=64m priority=3 || return 1
        sleep 0.1
        until "$PAGERCTL" swapoff "$mnt" "$work/more" 2>/dev/null; do
            sleep 0.1
        done
    done
}

options=ram=8m,size=64m
[[ $(id -u) != 0 ]] || options+=,allow_other
mount_fs "$options"
verify "an empty mount"
"$HELPERS/blob" write 1 $((24 << 20)) "$mnt/file" >/dev/null
verify "a file"
"$PAGERCTL" verify --json "$mnt" >"$work/out" || fail "--json"
[[ $(json findings <"$work/out") == 0 ]] || fail "findings: $(cat "$work/out")"
(($(json blocks <"$work/out") > 4000)) || fail "few blocks: $(cat "$work/out")"
(($(json data_pages <"$work/out") == 6144)) || fail "pages: $(cat "$work/out")"

misused "give a path on the mount" verify
"$PAGERCTL" verify "$work" 2>"$work/err" && fail "on another file system"
grep -q "is not on a pagerfs" "$work/err" || fail "$(cat "$work/err")"
if [[ $(id -u) == 0 ]] && as_user test -x "$PAGERCTL"; then
    as_user "$PAGERCTL" verify "$mnt" 2>"$work/err" && fail "asked by another"
    grep -q "only root and the user" "$work/err" || fail "$(cat "$work/err")"
fi

swaps &
swaps=$!
"$STRESS" "$mnt" 8 3 1 >"$work/stress.out" 2>&1 &
stress=$!
asked=0
while kill -0 "$stress" 2>/dev/null; do
    verify "under load"
    asked=$((asked + 1))
done
wait "$stress" || fail "stress: $(cat "$work/stress.out")"
touch "$work/stop"
wait "$swaps" || fail "swapon, swapoff"
say "asked $asked times under load"
((asked > 0)) || fail "not asked under load"
verify "after it"
rm -r "${mnt:?}"/*
verify "all deleted"
umount_fs

# As much as fits: it needs nothing that is not there.
mount_fs ram=8m,size=16m
dd if=/dev/urandom of="$mnt/full" bs=1M count=32 status=none 2>/dev/null &&
    fail "32 MiB in 16 MiB"
verify "a full mount"
umount_fs
mount_fs ram=8m,swap=none
dd if=/dev/urandom of="$mnt/full" bs=1M count=32 status=none 2>/dev/null &&
    fail "32 MiB in 8 MiB"
verify "a full mount without swap"
umount_fs
