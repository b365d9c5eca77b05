# lib.sh - sourced first by every test of this folder: one fresh mount in a
# directory of its own, and its removal, whatever happens.
#
# A test is a script that says in one sentence what it proves, mounts, acts, and
# ends: status 0 passed, 77 skipped (and says why), anything else failed.  It
# runs as whoever starts it; what needs root calls need_root.
#
#   mount_fs OPTIONS     mounts at $mnt, swap in $swap unless OPTIONS say else
#   umount_fs            unmounts; the daemon must end well, and soon
#   as_user CMD...       runs CMD as an ordinary user (root only)
#   fail WHY, skip WHY   end the test
#   need_root, need_daemon, need_uring, need CMD, long N M
#   refused WHAT CMD...  CMD must fail, and say WHAT in one line
#   misused WHAT CMD...  pagerctl CMD must say WHAT, and how it is used
#   rests WHAT           nobody uses the mount: no thread of the daemon runs
#
# In the environment: PAGERFS the daemon, PAGERCTL, HELPERS the folder of the
# programs built from this one's C files, FSX, STRESS, TANGLE, STEER those of the folders
# beside it, TRANSPORT=dev or uring for nothing but that, LONG=1 for the long form,
# WORK_BASE where to work (/var/tmp).  PAGERFS_FSTYPE=tmpfs mounts the kernel's tmpfs
# instead: for writing tests, and to see that they are fair.
#
# A watchdog kills the daemon and then the test after $limit seconds, which a
# test may set before it sources this file: a process that waits for a stuck
# FUSE daemon can only be killed after it.
# shellcheck shell=bash
# shellcheck disable=SC2317  # functions are called by wait_until and traps

set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/mount/wait.sh
source "$here/wait.sh"
# shellcheck source=tests/mount/group.sh
source "$here/group.sh"
build=$here/../../build
PAGERFS=${PAGERFS:-$build/src/fuse/pagerfs}
PAGERCTL=${PAGERCTL:-$build/src/ctl/pagerctl}
HELPERS=${HELPERS:-$build/tests/mount}
FSX=${FSX:-$build/tests/fsx/fsx}
STRESS=${STRESS:-$build/tests/stress/stress}
TANGLE=${TANGLE:-$build/tests/stress/tangle}
STEER=${STEER:-$build/tests/stress/steer}
PAGERFS_FSTYPE=${PAGERFS_FSTYPE:-pagerfs}
LONG=${LONG:-0}
name=${name:-$(basename "$0" .sh)}
work=$(mktemp -d "${WORK_BASE:-/var/tmp}/pagerfs-$name.XXXXXX")
mnt=$work/mnt
swap=$work/swap
log=$work/log # what the daemon says
daemon=
runner=()     # what the daemon is started through (setpriv, ...)

say() {
    echo "$name: $*" >&2
}

fail() {
    say "FAIL: $*"
    exit 1
}

# The reason goes to SKIP_LOG too, for the summary of scripts/test.
skip() {
    say "skipped: $*"
    if [[ -n ${SKIP_LOG:-} ]]; then
        echo "$name: $*" >>"$SKIP_LOG"
    fi
    exit 77
}

need() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null || skip "needs $command(1)"
    done
}

need_root() {
    [[ $(id -u) == 0 ]] || skip "needs root"
}

need_daemon() {
    [[ $PAGERFS_FSTYPE == pagerfs ]] || skip "is about pagerfs alone"
}

# FUSE over io_uring stays switched on until the test ends: for the whole
# machine, so tests that want it take turns.
need_uring() {
    local switch=/sys/module/fuse/parameters/enable_uring lock
    [[ -e $switch ]] || skip "FUSE over io_uring needs Linux 6.14"
    exec {lock}<"$switch"
    flock "$lock"
    [[ $(<"$switch") != Y ]] || return 0
    { echo Y >"$switch"; } 2>/dev/null ||
        skip "FUSE over io_uring is off, and only root can switch it on"
    at_exit "echo N >$switch"
}

# The first number in a normal run, the second in a long one.
long() {
    if [[ $LONG == 1 ]]; then echo "$2"; else echo "$1"; fi
}

unmount_by_force() {
    local place=$1
    is_mounted "$place" || return 0
    fusermount3 -u "$place" 2>/dev/null || umount "$place" 2>/dev/null ||
        fusermount3 -uz "$place" 2>/dev/null || umount -l "$place" 2>/dev/null ||
        say "cannot unmount $place"
}

# at_exit COMMAND: run at the end, newest first, when the daemon is gone.
exit_commands=()
at_exit() {
    exit_commands+=("$1")
}

cleanup() {
    local status=$? i place
    trap - EXIT
    trap '' INT TERM HUP
    set +e
    cd /
    if ((status != 0 && status != 77)) && [[ -s $log ]]; then
        say "the daemon said:"
        tail -n 30 "$log" >&2
    fi
    # Whatever is mounted below our folder, innermost first.
    while read -r place; do
        unmount_by_force "$place"
    done < <(awk -v below="$work/" 'index($5, below) == 1 {print $5}' \
        /proc/self/mountinfo | sort -r)
    if [[ -n $daemon ]]; then
        wait_until 5 gone "$daemon" || kill -9 "$daemon" 2>/dev/null
    fi
    kill -9 "$watchdog" 2>/dev/null
    jobs -p | xargs -r kill -9 2>/dev/null
    for ((i = ${#exit_commands[@]} - 1; i >= 0; i--)); do
        eval "${exit_commands[i]}"
    done
    wait 2>/dev/null
    rm -rf --one-file-system "$work"
    exit "$status"
}

# kill_below SIGNAL PID: all descendants of PID, but the watchdog.
kill_below() {
    local pid
    for pid in $(pgrep -P "$2"); do
        [[ $pid != "$BASHPID" ]] || continue
        kill_below "$1" "$pid"
        kill "-$1" "$pid" 2>/dev/null
    done
}

# Sleeps in a read that nothing ever ends, so that no child is left of it.  In
# the end bash runs the script's trap once what it waits for has been killed.
watch() {
    local never pid
    set +e
    trap - EXIT
    trap '' INT TERM HUP
    exec {never}<> <(:)
    read -rt "$((${limit:-300} * (LONG ? 12 : 1)))" -u "$never" || true
    say "FAIL: still not done after the time allowed"
    while read -r pid; do
        kill -9 "$pid" 2>/dev/null
    done <"$work/daemons"
    sleep 3
    kill -TERM $$
    kill_below TERM $$
    sleep 3
    kill_below KILL $$
    sleep 20
    kill -KILL $$
}

mkdir "$mnt" "$swap"
: >"$work/daemons"
chmod 755 "$work" "$mnt"
watch </dev/null >/dev/null &
watchdog=$!
disown "$watchdog"
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

[[ ${TRANSPORT:-} != uring ]] || need_uring

# The options that the kernel's tmpfs knows too.
tmpfs_options() {
    local option kept=
    for option in ${1//,/ }; do
        case $option in
        size=* | nr_blocks=* | nr_inodes=* | mode=* | uid=* | gid=*)
            kept+=${kept:+,}$option
            ;;
        esac
    done
    echo "${kept:-mode=1777}"
}

mount_fs() {
    local options=${1:-ram=16m,size=256m}
    if [[ $PAGERFS_FSTYPE == tmpfs ]]; then
        need_root
        mount -t tmpfs -o "$(tmpfs_options "$options")" pagerfs-test "$mnt"
        return
    fi
    [[ $options == *swap=* ]] || options+=",swap=$swap"
    options+=${TRANSPORT:+,transport=$TRANSPORT}
    : >"$log"
    "${runner[@]}" "$PAGERFS" -f -o "$options" pagerfs-test "$mnt" 2>>"$log" &
    daemon=$!
    echo "$daemon" >>"$work/daemons"
    mounted_or_gone() {
        is_mounted || gone "$daemon"
    }
    wait_until 20 mounted_or_gone || fail "no mount after 20 seconds"
    is_mounted || fail "the daemon ended instead of mounting $options"
}

umount_fs() {
    local status=0
    if [[ $PAGERFS_FSTYPE == tmpfs ]]; then
        umount "$mnt"
        return
    fi
    fusermount3 -u "$mnt" || fail "fusermount3 -u fails"
    wait_until 20 gone "$daemon" || fail "the daemon does not end after unmounting"
    wait "$daemon" || status=$?
    daemon=
    ((status == 0)) || fail "the daemon ends with status $status"
}

# Runs as nobody; HOME and the working directory are ours.
as_user() {
    setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
}

# The most memory the daemon ever had resident, in KiB, as the kernel saw it.
max_rss_kib() {
    awk '/^VmHWM:/ {print $2}' "/proc/$daemon/status"
}

# max_rss MIB WHY: the daemon never had more resident.  A sanitizer's shadow
# memory is not the daemon's: then nothing is said.
max_rss() {
    local kib
    [[ $PAGERFS_FSTYPE == pagerfs && -z ${SANITIZED:-} ]] || return 0
    kib=$(max_rss_kib)
    say "RSS at most $kib KiB ($2)"
    ((kib <= $1 * 1024)) || fail "RSS was $kib KiB, more than $1 MiB ($2)"
}

# paged_out MIB: the daemon has written at least that much to swap, so memory
# was as short as the test wants it.
paged_out() {
    local mib
    [[ $PAGERFS_FSTYPE == pagerfs ]] || return 0
    mib=$(awk '/^write_bytes:/ {print int($2 / 1048576)}' "/proc/$daemon/io")
    say "$mib MiB were paged out"
    ((mib >= $1)) || fail "only $mib MiB were paged out: memory was not short"
}

# How often each thread of the daemon was given a CPU.  Not the kernel's own: a
# worker of io_uring (iou-wrk) looks every five seconds whether it is still needed;
# the last one always is, others end meanwhile.
wake_ups() {
    local task name
    for task in "/proc/$daemon/task/"*; do
        name=$(cat "$task/comm" 2>/dev/null) || continue
        [[ $name == iou-wrk-* ]] ||
            awk -v name="$name" '/ctxt_switches/ {sum += $2} END {print name, sum}' \
                "$task/status"
    done
}

# rests WHAT: nobody uses the mount.  The last that the daemon has to do of itself
# comes five seconds after the last pageout; then nobody wakes up for five seconds in
# one piece.  (Sanitizers have threads of their own, which do.)
rests() {
    local before after
    [[ -z ${SANITIZED:-} ]] || return 0
    sleep 8
    before=$(wake_ups)
    sleep 5
    after=$(wake_ups)
    [[ $before == "$after" ]] ||
        fail "$1 wakes up for nothing: $(diff <(echo "$before") <(echo "$after"))"
}

# df of the mount, in blocks of 4 KiB: used_blocks, free_blocks, used_inodes.
used_blocks() {
    stat -f -c '%b %f' "$mnt" | awk '{print $1 - $2}'
}

free_blocks() {
    stat -f -c '%f' "$mnt"
}

used_inodes() {
    stat -f -c '%c %d' "$mnt" | awk '{print $1 - $2}'
}

usage() {
    echo "$(used_blocks) blocks $(used_inodes) inodes"
}

# What was deleted may come back a little later, when the kernel forgets it.
expect_usage() {
    local wanted=$1 why=$2
    usage_is_back() {
        [[ $(usage) == "$wanted" ]]
    }
    wait_until 10 usage_is_back ||
        fail "$why: $(usage) in use, not $wanted"
}

# refused WHAT COMMAND...: fails, with one line that has WHAT in it.
refused() {
    local what=$1
    shift
    if "$@" >/dev/null 2>"$work/err"; then
        fail "$* is not refused"
    fi
    grep -q -- "$what" "$work/err" || fail "$*: $(cat "$work/err")"
    [[ $(wc -l <"$work/err") == 1 ]] || fail "$*: $(cat "$work/err")"
}

# misused WHAT COMMAND...: of pagerctl; a line with WHAT, and the usage.
misused() {
    local what=$1 status=0
    shift
    "$PAGERCTL" "$@" >/dev/null 2>"$work/err" || status=$?
    ((status == 2)) || fail "status $status: $*"
    head -n 1 "$work/err" | grep -q -- "^pagerctl: .*$what" ||
        fail "$*: $(cat "$work/err")"
    [[ $(tail -n +2 "$work/err") == "usage: pagerctl $1 "* ]] ||
        fail "$*: $(cat "$work/err")"
}

# in_memory_group MIB: the daemon will run in a memory cgroup of its own, $group,
# with so much of memory and swap together.
in_memory_group() {
    need_root
    [[ -z ${SANITIZED:-} ]] ||
        skip "a sanitizer needs more memory than the group has"
    group_make "pagerfs-test.$$" $(($1 << 20)) || skip "$group_why"
    at_exit "group_remove '$group'"
    group_no_swap "$group"
    runner=("${into_group[@]}" "$group")
}

expect_no_oom() {
    [[ $(group_kills "$group") == 0 ]] || fail "OOM-killed"
}

# json NAME...: what those names (in a list: numbers) lead to, in the object on stdin.
json() {
    python3 -c 'import json, sys
at = json.load(sys.stdin)
for name in sys.argv[1:]:
    at = at[int(name) if isinstance(at, list) else name]
print(at)' "$@"
}

# Files named on stdin leave the kernel's page cache, so that reading them asks
# the daemon.
uncache() {
    "$HELPERS/uncache"
}
