# common.sh - what the benchmarks share; sourced by scripts/bench.
#
# A benchmark is a script of this folder that defines
#
#   title, page         of the results: a headline, a file below docs/
#   subjects            what is compared; the first is ours, to which ratios apply
#   rows                "NAME|LABEL|UNIT" each; the unit s means: less is better
#   targets             "ROW|SUBJECT|FACTOR": ours is to be FACTOR times as fast;
#                       "ROW|SUBJECT|FACTOR|OURS": another one of ours
#   bounds              "ROW|MOST": every subject is to have less than MOST
#   bench_option ARG... an option of its own (returns how many words it took)
#   bench_prepare       once, before the first round
#   bench_subject NAME  one round of one subject: calls `record` for each row
#   bench_describe      text for the page: how it was measured
#
# The page is made of what is written by hand there and the part between two
# marks, which is ours and is replaced by each run.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154,SC2317  # shared with the scripts around it

# shellcheck source=tests/mount/wait.sh
source "$root/tests/mount/wait.sh"
# shellcheck source=tests/mount/group.sh
source "$root/tests/mount/group.sh"

rounds=5
quick=0
small=0
dir=/var/tmp
only=
save=
bounds=()

say() {
    echo "bench: $*" >&2
}

die() {
    say "$*"
    exit 1
}

# --- what is left behind: nothing ----------------------------------------------

exit_commands=()

# undo COMMAND: run at the end, newest first; undo_all runs them now.
undo() {
    exit_commands+=("$1")
}

# undo_to N: those that came after the first N.
undo_to() {
    local i
    for ((i = ${#exit_commands[@]} - 1; i >= $1; i--)); do
        eval "${exit_commands[i]}" || say "failed: ${exit_commands[i]}"
        unset "exit_commands[i]"
    done
}

bench_cleanup() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    set +e
    cd /
    jobs -p | xargs -r kill 2>/dev/null
    undo_to 0
    exit "$status"
}
trap bench_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

unmount() {
    is_mounted "$1" || return 0
    umount "$1" 2>/dev/null || { sleep 1 && umount "$1" 2>/dev/null; } ||
        umount -l "$1" 2>/dev/null || ! is_mounted "$1"
}

# --- options --------------------------------------------------------------------

bench_option() {
    return 0
}

bench_options() {
    local taken
    while (($# > 0)); do
        case $1 in
        --rounds) rounds=$2 && shift 2 ;;
        --small) small=1 && shift ;;
        --quick) quick=1 small=1 rounds=1 && shift ;;
        --dir) dir=$2 && shift 2 ;;
        --only) only=$2 && shift 2 ;;
        --save) save=$2 && shift 2 ;;
        *)
            taken=0
            bench_option "$@" || taken=$?
            ((taken > 0)) || usage
            shift "$taken"
            ;;
        esac
    done
}

# --- the memory cgroup ------------------------------------------------------------

# in_group_of BYTES: makes $group.  Whatever it holds is charged there, page cache
# included, which is dropped with it.
in_group_of() {
    group_make "pagerfs-bench.$$" "$1" || die "$group_why"
    undo "group_remove '$group'"
}

in_group() {
    "${into_group[@]}" "$group" "$@"
}

# --- the daemon ---------------------------------------------------------------------

# daemon_start MOUNTPOINT PROGRAM ARG...: in the foreground of a shell of the
# group if there is one; sets $daemon.
daemon_start() {
    local place=$1 runner=()
    shift
    [[ -z ${group:-} ]] || runner=("${into_group[@]}" "$group")
    "${runner[@]}" "$@" >"$work/daemon.log" 2>&1 &
    daemon=$!
    undo "daemon_stop '$place' $daemon"
    mounted_or_gone() {
        is_mounted "$place" || gone "$daemon"
    }
    wait_until 20 mounted_or_gone || die "no mount after 20 seconds: $*"
    is_mounted "$place" || die "$* says: $(tail -n 5 "$work/daemon.log")"
}

daemon_stop() {
    unmount "$1"
    wait_until 30 gone "$2" || kill -9 "$2"
    wait "$2" 2>/dev/null || true
}

# The kernel looks at this when a file system is mounted: set for that moment.
with_uring() {
    local switch=/sys/module/fuse/parameters/enable_uring before
    [[ -w $switch ]] || return 1
    before=$(<"$switch")
    echo Y >"$switch"
    "$@"
    echo "$before" >"$switch"
}

# The released build, unless the caller has one.
pagerfs_build() {
    PAGERFS=${PAGERFS:-$root/build-gcc/src/fuse/pagerfs}
    [[ $PAGERFS == "$root"/build-gcc/* ]] || return 0
    [[ -f $root/build-gcc/build.ninja ]] ||
        meson setup "$root/build-gcc" "$root" >/dev/null
    ninja -C "$root/build-gcc" --quiet
}

# --- fio --------------------------------------------------------------------------------

# fio_run read|write bw|iops|p99 ARG...: the figure: MiB/s, I/Os a second, or the
# 99th percentile of the time taken, in us.  The load runs in the group if there
# is one.
fio_run() {
    local field kind=$2 runner=()
    case $1-$2 in
    read-bw) field=7 ;;
    read-iops) field=8 ;;
    read-p99) field=30 ;;
    write-bw) field=48 ;;
    write-iops) field=49 ;;
    esac
    shift 2
    [[ -z ${group:-} ]] || runner=(in_group)
    "${runner[@]}" fio --name=load --output-format=terse --terse-version=3 \
        --ioengine=psync --group_reporting --thread --refill_buffers \
        --norandommap --randrepeat=0 "$@" 2>"$work/fio.err" >"$work/fio.out" ||
        die "fio $*: $(cat "$work/fio.err")"
    awk -F';' -v field="$field" -v kind="$kind" '
        /^3;/ {
            sub(/.*=/, "", $field)
            print kind == "bw" ? $field / 1024 : $field
            found = 1
        }
        END { exit !found }' "$work/fio.out"
}

# fio_row ROW KIND UNIT ARG...: of $place/file, $data MiB; nothing where the file
# system cannot do it.
fio_row() {
    local row=$1 value
    shift
    if value=$(fio_run "$@" --filename="$place/file" --size="${data}M"); then
        record "$row" "$subject" "$value"
    else
        say "$subject: no $row"
    fi
}

# --- results -------------------------------------------------------------------------

# record ROW SUBJECT VALUE
record() {
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$results"
    say "round $round: $2, $1: $3"
}

sample_load() {
    cut -d' ' -f1 /proc/loadavg >>"$work/load"
}

# Without the paths of this machine.
shown_command() {
    sed -E 's/ *--save [^ ]+//; s/--libfuse [^ ]+/--libfuse CHECKOUT/; s/ +$//' \
        <<<"scripts/bench $benchmark $bench_arguments"
}

describe_machine() {
    local disk
    disk=$(findmnt -no SOURCE --target "$dir")
    cat <<TEXT
- $(awk -F': ' '/^model name/ {print $2; exit}' /proc/cpuinfo), $(nproc) CPUs,
  $(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB of memory; Linux $(uname -r)
- the disk: $disk, $(findmnt -no FSTYPE --target "$dir"), at $dir
- $(date -u +%Y-%m-%d), pagerfs $(git -C "$root" rev-parse --short HEAD), $(fio --version), $rounds rounds, medians
- load average (1 minute) between subjects: $(sort -n "$work/load" | sed -n '1p;$p' | paste -sd- |
        sed 's/-/ to /')
- command: \`$(shown_command)\`
TEXT
}

figures() {
    local row target bound
    {
        for row in "${rows[@]}"; do echo "row|$row"; done
        for target in "${targets[@]}"; do echo "target|$target"; done
        for bound in "${bounds[@]}"; do echo "bound|$bound"; done
        sed 's/^/value\t/; s/\t/|/g' "$results"
    } | awk -F'|' -v subjects="${subjects[*]}" -f "$here/bench.d/table.awk"
}

# Puts stdin between the marks of the page.
page_replace() {
    local file=$root/docs/$page new=$work/page
    cat >"$work/part"
    [[ -f $file ]] || printf '# %s\n\n<!-- measured -->\n<!-- /measured -->\n' \
        "$title" >"$file"
    awk -v part="$work/part" '
        /^<!-- \/measured -->/ {
            while ((getline line < part) > 0)
                print line
            skip = 0
        }
        !skip
        /^<!-- measured -->/ { skip = 1 }' "$file" >"$new"
    cat "$new" >"$file"
    say "written: docs/$page"
}

wanted() {
    [[ -z $only || ,$only, == *,"$1",* ]]
}

bench_run() {
    local subject mark
    [[ $(id -u) == 0 ]] || die "needs root, for mounts, swapon and cgroups"
    # shellcheck source=scripts/packages.sh
    source "$here/packages.sh"
    install_missing "${bench_packages[@]}"
    pagerfs_build
    # A daemon that waits for its turn behind other work would tell nothing.
    renice -n -15 $$ >/dev/null
    work=$(mktemp -d "$dir/pagerfs-bench.XXXXXX")
    undo "rm -rf --one-file-system '$work'"
    results=$work/results
    : >"$results"
    bench_prepare
    for ((round = 1; round <= rounds; round++)); do
        for subject in "${subjects[@]}"; do
            wanted "$subject" || continue
            mark=${#exit_commands[@]}
            sample_load
            bench_subject "$subject"
            undo_to "$mark"
        done
    done
    sample_load
    [[ -z $save ]] || cp "$results" "$save"
    {
        echo
        describe_machine
        echo
        bench_describe
        echo
        figures
        echo
    } >"$work/text"
    cat "$work/text"
    ((quick)) || [[ -n $only ]] || page_replace <"$work/text"
}
