#!/usr/bin/env bash
# group.sh finds and fills memory cgroups of both versions: on trees that look like
# the kernel's, since a machine has but one of them.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034  # read by group.sh
CGROUPS=$work/cgroup

# fill FOLDER FILE=TEXT...
fill() {
    local folder=$1 file
    shift
    for file in "$@"; do
        echo "${file#*=}" >"$folder/${file%%=*}"
    done
}

# A new group of the kernel's is not empty, and goes with what is in it.
mkdir() {
    command mkdir "$@"
    case ${*: -1} in
    */v1.*)
        fill "${*: -1}" memory.limit_in_bytes=max memory.memsw.limit_in_bytes=max \
            memory.swappiness=60 memory.force_empty= memory.oom_control=
        ;;
    */v2.*)
        fill "${*: -1}" memory.max=max memory.high=max memory.swap.max=max \
            memory.current=4096 memory.reclaim= memory.events=
        ;;
    esac
}

rmdir() {
    reclaimed=$(cat "${*: -1}"/memory.{reclaim,force_empty} 2>/dev/null)
    rm -r "$@"
}

# has FILE TEXT: of the group.
has() {
    [[ $(<"$group/$1") == "$2" ]] || fail "$group: $1 is $(<"$group/$1"), not $2"
}

# Whether any can be had: nowhere, where they hold no memory, where they are not ours.
refused_here() {
    ! group_make "$1" 1 || fail "a group in $2"
    [[ $group_why == "needs a memory cgroup"* ]] || fail "$2: $group_why"
}
refused_here v1.none "no hierarchy"
command mkdir -p "$CGROUPS/unified"
fill "$CGROUPS/unified" cgroup.controllers="cpu io" cgroup.procs= \
    cgroup.subtree_control=
refused_here v2.none "a hierarchy without memory"
fill "$CGROUPS/unified" cgroup.controllers="cpu hugememory"
refused_here v2.none "a hierarchy whose memory is another thing"

# Version 2 beside others of version 1, memory not given away yet.
fill "$CGROUPS/unified" cgroup.controllers="cpu memory io"
group_make v2.hybrid 1000 || fail "$group_why"
[[ $group == "$CGROUPS/unified/v2.hybrid" ]] || fail "$group"
[[ $(<"$CGROUPS/unified/cgroup.subtree_control") == +memory ]] || fail "not given"
group_remove "$group"

# Version 2 alone, where memory is given away.
fill "$CGROUPS" cgroup.controllers="cpuset cpu io memory pids" cgroup.procs= \
    cgroup.subtree_control="cpu memory"
group_make v2.alone 1048576 || fail "$group_why"
[[ $group == "$CGROUPS/v2.alone" ]] || fail "$group"
[[ $(<"$CGROUPS/cgroup.subtree_control") == "cpu memory" ]] || fail "given again"
has memory.max 1048576
group_no_swap "$group"
has memory.swap.max 0
[[ $(group_kills "$group") == 0 ]] || fail "kills without events"
printf 'low 0\noom 7\noom_kill 3\noom_group_kill 9\n' >"$group/memory.events"
[[ $(group_kills "$group") == 3 ]] || fail "kills: $(group_kills "$group")"
printf 'anon 5\nfile 8192\nfile_mapped 1\n' >"$group/memory.stat"
[[ $(group_cached "$group") == 8192 ]] || fail "cached: $(group_cached "$group")"
group_no_kill "$group"
has memory.high 1048576
has memory.max max
"${into_group[@]}" "$group" true
[[ $(<"$group/cgroup.procs") -gt 1 ]] || fail "no process"
group_remove "$group"
[[ ! -e $group && $reclaimed == 4096 ]] || fail "not emptied: $reclaimed"

# Version 1, which has the memory even if a hierarchy of version 2 is there.
command mkdir "$CGROUPS/memory"
fill "$CGROUPS/memory" cgroup.procs=
group_make v1.alone 1048576 || fail "$group_why"
[[ $group == "$CGROUPS/memory/v1.alone" ]] || fail "$group"
has memory.limit_in_bytes 1048576
group_no_swap "$group"
has memory.swappiness 0
has memory.memsw.limit_in_bytes 1048576
printf 'oom_kill_disable 1\nunder_oom 0\noom_kill 2\n' >"$group/memory.oom_control"
[[ $(group_kills "$group") == 2 ]] || fail "kills: $(group_kills "$group")"
printf 'cache 1\ntotal_cache 4096\n' >"$group/memory.stat"
[[ $(group_cached "$group") == 4096 ]] || fail "cached: $(group_cached "$group")"
group_no_kill "$group"
has memory.oom_control 1
group_remove "$group"
[[ ! -e $group && $reclaimed == 0 ]] || fail "not emptied: $reclaimed"
