#!/usr/bin/env bash
# While eight threads know every byte of a mount with little memory, all that
# pagerctl can do is done to it, at random: no byte changes, each command does
# what it says or is refused, verify finds nothing, and nothing is left behind.
# Where there is a memory cgroup, the daemon has 24 MiB more than its largest ram=.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/../mount/lib.sh"

need_daemon
seed=${1:-$RANDOM}
seconds=${2:-$(long 4 300)}
mkdir "$work/more" "$work/fast" "$work/small"

# A sanitizer needs more memory than the group has.
group=
if [[ -z ${SANITIZED:-} ]] && group_make "pagerfs-test.$$" $(((64 + 24) << 20)); then
    at_exit "group_remove '$group'"
    # shellcheck disable=SC2034  # in lib.sh
    runner=("${into_group[@]}" "$group")
fi

mount_fs ram=16m,size=64m
baseline=$(usage)
"$STRESS" "$mnt" 8 "$seconds" "$seed" full &
load=$!
wait_until 20 test -e "$mnt/stripes" || fail "no load"
"$STEER" "$PAGERCTL" "$mnt" "$seconds" "$seed" \
    "$swap" "$work/more" "$work/fast" "$work/small" ||
    fail "see above, seed $seed"
wait "$load" || fail "see above, seed $seed"
"$PAGERCTL" verify "$mnt" >&2 || fail "something is wrong afterwards, seed $seed"
[[ -z $group || $(group_kills "$group") == 0 ]] || fail "OOM-killed, seed $seed"
rm -r "${mnt:?}"/*
expect_usage "$baseline" "all deleted, seed $seed"
umount_fs
for place in "$swap" "$work/more" "$work/fast" "$work/small"; do
    [[ -z $(ls -A "$place") ]] || fail "left in $place: $(ls -A "$place")"
done
