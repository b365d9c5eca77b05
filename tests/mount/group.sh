# group.sh - memory cgroups, of version 1 or 2; sourced, after wait.sh, by the tests of
# this folder and by the benchmarks.
#
#   group_make NAME BYTES    a group of that name with so much memory: $group, whose
#                            removal the caller owes; false, and why in $group_why
#   group_remove GROUP       and what its processes have left in the page cache
#   group_no_swap GROUP      its memory is not swapped out
#   group_no_kill GROUP      who wants more than there is waits
#   group_kills GROUP        how many of its processes were OOM-killed
#   group_cached GROUP       bytes of page cache charged to it
#   "${into_group[@]}" GROUP COMMAND...   runs that as one of its processes
#
# Version 1 is a hierarchy of its own. In version 2 a group has what its parent gives
# away (cgroup.subtree_control), and the parent may then hold no process itself, unless
# it is the root of all: so in a container it may be refused. What was given stays so,
# because others may count on it by then.
# shellcheck shell=bash
# shellcheck disable=SC2034  # read by those who source this

# Before a command: puts it into the group.
# shellcheck disable=SC2016  # expanded by the inner shell
into_group=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"')

# has_word FILE WORD
has_word() {
    [[ " $(cat "$1" 2>/dev/null) " == *" $2 "* ]]
}

# May groups with memory of their own be made in this folder of version 2?
gives_memory() {
    has_word "$1/cgroup.controllers" memory && [[ -w $1/cgroup.procs ]] || return 1
    has_word "$1/cgroup.subtree_control" memory ||
        { echo +memory >"$1/cgroup.subtree_control"; } 2>/dev/null
}

# The folder in which to make groups.
group_folder() {
    local all=${CGROUPS:-/sys/fs/cgroup} folder
    if [[ -w $all/memory/cgroup.procs ]]; then
        echo "$all/memory"
        return
    fi
    for folder in "$all" "$all/unified"; do
        if gives_memory "$folder"; then
            echo "$folder"
            return
        fi
    done
    return 1
}

is_version_2() {
    [[ -e $1/memory.max ]]
}

group_make() {
    local limit=memory.limit_in_bytes folder new
    group_why="needs a memory cgroup (version 1 or 2) that may be divided"
    folder=$(group_folder) || return 1
    new=$folder/$1
    group_why="cannot make a memory cgroup in $folder"
    mkdir "$new" 2>/dev/null || return 1
    ! is_version_2 "$new" || limit=memory.max
    if ! { echo "$2" >"$new/$limit"; } 2>/dev/null; then
        rmdir "$new"
        return 1
    fi
    group=$new
}

group_remove() {
    if is_version_2 "$1"; then
        cat "$1/memory.current" >"$1/memory.reclaim"
    else
        echo 0 >"$1/memory.force_empty"
    fi 2>/dev/null || true # as far as it goes
    wait_until 10 rmdir "$1" 2>/dev/null
}

# Kernels that do not count swap have no limit for it.
group_no_swap() {
    local both=$1/memory.memsw.limit_in_bytes
    if is_version_2 "$1"; then
        [[ ! -w $1/memory.swap.max ]] || echo 0 >"$1/memory.swap.max"
        return
    fi
    echo 0 >"$1/memory.swappiness"
    [[ ! -w $both ]] || cat "$1/memory.limit_in_bytes" >"$both"
}

# Version 2 kills nobody for memory.high, but lets him wait.
group_no_kill() {
    if is_version_2 "$1"; then
        cat "$1/memory.max" >"$1/memory.high"
        echo max >"$1/memory.max"
    else
        echo 1 >"$1/memory.oom_control"
    fi
}

group_kills() {
    local from=$1/memory.oom_control
    ! is_version_2 "$1" || from=$1/memory.events
    awk '$1 == "oom_kill" {n = $2} END {print n + 0}' "$from"
}

group_cached() {
    local name=total_cache
    ! is_version_2 "$1" || name='file'
    awk -v name="$name" '$1 == name {print $2}' "$1/memory.stat"
}
