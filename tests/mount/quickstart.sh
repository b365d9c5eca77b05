#!/usr/bin/env bash
# scripts/quickstart builds, mounts, checks 256 MiB and leaves a mount that works
# and can be unmounted as it says.
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
"$here/../../scripts/quickstart" "$mnt" >"$work/out" 2>&1 ||
    fail "$(cat "$work/out")"
daemon=$(pgrep -n -f -- "pagerfs .*$mnt") || fail "no daemon"
echo "$daemon" >>"$work/daemons"
is_mounted || fail "nothing is mounted"
[[ $(stat -c %s "$mnt/random") == $((256 << 20)) ]] || fail "no 256 MiB there"
grep -q 'written [0-9]* MiB to swap' "$work/out" ||
    fail "it does not say what went to swap: $(cat "$work/out")"
max_rss 72 "ram=64m"
echo mine >"$mnt/mine"
eval "$(grep -o 'fusermount3 -u .*' "$work/out")" || fail "unmounting as told"
wait_until 10 gone "$daemon" || fail "the daemon does not end"
daemon=

# A directory that is in use is not taken.
echo mine >"$mnt/mine"
if "$here/../../scripts/quickstart" "$mnt" >"$work/out" 2>&1; then
    fail "it mounts over a directory that is not empty"
fi
rm "$mnt/mine"
