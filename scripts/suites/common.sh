# shellcheck shell=bash
# common.sh - what scripts/xfstests and scripts/pjdfstest share.
#
# A foreign suite runs in a mount and pid namespace of its own: the daemon, the
# mounts, the users and the mount helper it needs exist only in there, the host
# is left as it was, and killing the namespace's first process ends all of it,
# a hung daemon and its unkillable clients included.
#
# Outside: suite_begin, then suite_start for each run.  Inside, as the first
# process of the namespace: inside_begin, then what the suite asks for.

suites=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
work='' child=''

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    [ $# -lt 2 ] || printf '%s\n' "${@:2}" >&2
    exit 1
}

# need COMMAND PACKAGE ...: stop, naming every package that is missing.
need() {
    local missing=()
    while [ $# -gt 0 ]; do
        type -P "$1" >/dev/null || missing+=("$2")
        shift 2
    done
    [ ${#missing[@]} -eq 0 ] || die "programs are missing; install them with" \
        "    apt-get install ${missing[*]}"
}

need_root() {
    [ "$(id -u)" -eq 0 ] || die "must be root: it makes namespaces," \
        "mounts, and files of other users"
}

# need_pagerfs PROGRAM: prints its absolute path.
need_pagerfs() {
    [ -x "$1" ] || die "no program $1: build it (meson setup build &&" \
        "ninja -C build) or name it with --pagerfs PROGRAM"
    [ -c /dev/fuse ] || die "no /dev/fuse: load the kernel's fuse module"
    realpath "$1"
}

# suite_begin: makes $work, an empty folder that all users may enter, and sees
# to it that it, files named $work.*, and the namespace end with the script.
suite_begin() {
    work=$(mktemp -d /var/tmp/pagerfs-suite-XXXXXX) || die "no room in /var/tmp"
    chmod 755 "$work"
    trap 'suite_stop; rm -rf --one-file-system "$work" "$work".*' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# suite_start LOG COMMAND...: starts it in namespaces of its own; pid in $child.
suite_start() {
    local log=$1
    shift
    setsid unshare --mount --pid --fork --mount-proc --kill-child \
        --propagation private "$@" </dev/null >"$log" 2>&1 &
    child=$!
}

# suite_stop: ends the namespace, whatever hangs in it.
suite_stop() {
    [ -n "$child" ] || return 0
    kill -KILL "$child" 2>/dev/null
    wait "$child" 2>/dev/null
    child=
}

# inside_begin WORK: a memory file system on WORK, and no FUSE mount of the host
# within reach: df(1) over one that hangs would hang the suite.
inside_begin() {
    work=$1
    local dir
    mount -t tmpfs -o mode=755 pagerfs-suite "$work" || exit 1
    mkdir "$work"/{daemons,etc,tmp}
    chmod 1777 "$work/tmp"
    export TMPDIR=$work/tmp
    awk '$3 ~ /^fuse(blk|\.|$)/ { print $2 }' /proc/self/mounts |
        while IFS= read -r dir; do
            umount -l "$(printf %b "$dir")"
        done
}

# inside_users: adds the users and groups that the suite wants, unless they are
# there, to copies of /etc/passwd and /etc/group that only this namespace sees.
inside_users() {
    local name id=65100
    cp /etc/passwd /etc/group "$work/etc"
    for name in "$@"; do
        id=$((id + 1))
        grep -q "^$name:" /etc/group ||
            echo "$name:x:$id:" >>"$work/etc/group"
        grep -q "^$name:" /etc/passwd ||
            echo "$name:*:$id:$id::/:/bin/bash" >>"$work/etc/passwd"
    done
    mount --bind "$work/etc/passwd" /etc/passwd || exit 1
    mount --bind "$work/etc/group" /etc/group || exit 1
}

# inside_helper PROGRAM: lets `mount -t fuse.pagerfs` start PROGRAM under the
# eyes of scripts/suites/daemon, again for this namespace only.
inside_helper() {
    local sbin
    sbin=$(realpath /sbin)
    mkdir "$work"/{sbin,sbin.work}
    mount -t overlay -o "lowerdir=$sbin,upperdir=$work/sbin,workdir=$work/sbin.work" \
        pagerfs-suite "$sbin" || exit 1
    printf '#!/bin/sh\nexec "%s" "%s" "%s" "$@"\n' "$suites/daemon" "$work" "$1" \
        >"$sbin/mount.fuse.pagerfs"
    chmod 755 "$sbin/mount.fuse.pagerfs"
}

# inside_quiet SECONDS: waits until no daemon is left; false if one stays.
inside_quiet() {
    local tenths=$(($1 * 10))
    while [ -n "$(ls "$work/daemons")" ]; do
        [ $((tenths -= 1)) -ge 0 ] || return 1
        sleep 0.1
    done
}
