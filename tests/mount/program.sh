#!/usr/bin/env bash
# The program behaves as FUSE file systems do: -h, -V, -f, -d, -s, and without
# them it is in the background once the mount is there.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon

"$PAGERFS" -h >"$work/help" 2>&1 || fail "-h: status $?"
for word in size= nr_inodes= mode= uid= gid= ram= swap= swapsize= -f -d -s -V; do
    grep -q -- "$word" "$work/help" || fail "-h says nothing of $word"
done
"$PAGERFS" -V >"$work/version" 2>&1 || fail "-V: status $?"
grep -q 'pagerfs.*[0-9]\.[0-9]' "$work/version" || fail "-V does not tell the version"
if "$PAGERFS" >"$work/out" 2>&1; then
    fail "without a mount point: status 0"
fi

daemons_of() {
    pgrep -f -- "$PAGERFS .*$mnt" || true
}

nobody_left() {
    [[ -z $(daemons_of) ]]
}

# In the background: mounted on return, with the caller's pipe let go.
out=$(timeout 20 "$PAGERFS" -o "ram=8m,swap=$swap" source "$mnt") ||
    fail "in the background: status $?"
[[ -z $out ]] || fail "in the background it talks: $out"
is_mounted || fail "it returned before it had mounted"
pid=$(daemons_of)
[[ $(wc -w <<<"$pid") == 1 ]] || fail "not one process in the background: $pid"
daemon=$pid
echo "$pid" >>"$work/daemons"
[[ $(readlink "/proc/$pid/cwd") == / ]] || fail "the daemon stays in our directory"
echo data >"$mnt/file"
# However long nobody uses it, it stays; and what is asked is not what is cached.
sleep "$(long 5 300)"
stat -f "$mnt" >/dev/null || fail "after a while it does not answer"
uncache <<<"$mnt/file"
[[ $(<"$mnt/file") == data ]] || fail "after a while the file is lost"
[[ $(daemons_of) == "$pid" ]] || fail "after a while it is another process"
fusermount3 -u "$mnt"
wait_until 10 nobody_left || fail "the daemon does not end"
daemon=

# Without standard descriptors: it returns, and its own files are not taken for
# them, swap least of all.
(exec 0<&- 1>&- 2>&-; exec timeout 20 "$PAGERFS" -o "ram=8m,swap=$swap" "$mnt") ||
    fail "without standard descriptors: status $?"
daemon=$(daemons_of)
echo "$daemon" >>"$work/daemons"
for fd in 0 1 2; do
    [[ $(readlink "/proc/$daemon/fd/$fd") == /dev/null ]] ||
        fail "descriptor $fd is $(readlink "/proc/$daemon/fd/$fd")"
done
"$HELPERS/blob" write 1 $((24 << 20)) "$mnt/file" >"$work/out"
"$HELPERS/blob" read 1 $((24 << 20)) "$mnt/file" >"$work/out" ||
    fail "without standard descriptors it loses data"
fusermount3 -u "$mnt"
wait_until 10 nobody_left || fail "the daemon does not end"
daemon=

# With few descriptors: it says so and leaves nothing, or it mounts, and lets the
# caller's pipe go all the same.
for few in {6..20}; do
    status=0
    out=$(ulimit -n "$few"
        exec timeout 20 "$PAGERFS" -o "ram=8m,swap=$swap" "$mnt" 2>&1) || status=$?
    ((status != 0)) || break
    [[ $status == 1 && -n $out ]] || fail "$few descriptors: status $status: $out"
    is_mounted && fail "$few descriptors: status 1, but mounted"
    wait_until 10 nobody_left || fail "$few descriptors: somebody is left"
done
daemon=$(daemons_of)
echo "$daemon" >>"$work/daemons"
is_mounted || fail "20 descriptors are too few"
kill "$daemon"
wait_until 10 nobody_left || fail "with $few descriptors it cannot be ended"
daemon=

# Single-threaded and talking: works too, and stays in the foreground.
for flag in -s -d; do
    "$PAGERFS" -f $flag -o "ram=8m,swap=$swap" source "$mnt" >"$log" 2>&1 &
    daemon=$!
    echo "$daemon" >>"$work/daemons"
    wait_until 10 is_mounted || fail "$flag: no mount"
    "$HELPERS/blob" write 1 $((24 << 20)) "$mnt/file" >"$work/out" || fail "$flag"
    "$HELPERS/blob" read 1 $((24 << 20)) "$mnt/file" >"$work/out" || fail "$flag"
    umount_fs
done

# SIGTERM and SIGINT unmount.
for signal in TERM INT; do
    mount_fs ram=8m,size=64m
    echo data >"$mnt/file"
    kill -$signal "$daemon"
    wait_until 10 gone "$daemon" || fail "SIG$signal does not end it"
    wait "$daemon" || true
    daemon=
    is_mounted && fail "SIG$signal leaves the mount"
done
true
