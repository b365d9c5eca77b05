# hot.sh - everything fits into memory: what FUSE costs, and what is our doing.
#
#   pagerfs        over io_uring, where daemon and kernel have it
#   pagerfs-dev    over /dev/fuse
#   pagerfs-writeback       as pagerfs, with -o writeback: small writes alone
#   pagerfs-writeback-max   and with room in the kernel for all of the file
#   tmpfs          the kernel's
#   memfs, memfs-uring      libfuse's memfs_ll, over either, what the kernel may
#                  cache being as ours: everything
#   memfs-modes, memfs-uring-modes   the same, and the kernel checks modes, as it
#                  does for us: names alone
#   passthrough    libfuse's passthrough_hp over a tmpfs, without passthrough
#
# Rows are taken in turn by fio, by a loader of names (tests/bench/meta.c), and by
# what people do with a source tree.  Where a row is not a subject's business,
# there is none: only names are asked of memfs over io_uring, say.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with common.sh

title="Everything in memory: the hot paths"
page=bench-hot.md
subjects=(pagerfs pagerfs-dev pagerfs-writeback pagerfs-writeback-max tmpfs
    memfs memfs-uring memfs-modes memfs-uring-modes passthrough)
names=(create stat absent open chmod smallwrite rename symlink link mkdir list
    rmdir unlink)
rows=(
    "cread|cached read, 1 MiB|MiB/s"
    "crread|cached read, 4 KiB random|I/Os a second"
    "cmmap|cached read, 4 KiB random, mapped|I/Os a second"
    "new|write, 1 MiB, new file|MiB/s"
    "over|write, 1 MiB, overwriting|MiB/s"
    "rwrite|write, 4 KiB random|I/Os a second"
    "direct|uncached read, 1 MiB (O_DIRECT)|MiB/s"
)
targets=("cread|tmpfs|0.95" "crread|tmpfs|0.95" "cmmap|tmpfs|0.95"
    "new|tmpfs|0.5" "new|memfs|1.5|pagerfs-dev" "over|tmpfs|0.6"
    "over|memfs|1.5|pagerfs-dev" "rwrite|memfs-uring|1.5"
    "rwrite|tmpfs|0.9|pagerfs-writeback"
    "rwrite|tmpfs|0.9|pagerfs-writeback-max" "direct|passthrough|1.0")
for name in "${names[@]}"; do
    rows+=("$name|$name|a second")
    [[ $name != symlink ]] || continue # memfs_ll has none
    targets+=("$name|memfs|1.5|pagerfs-dev|1.1" "$name|memfs-uring|1.5||1.1"
        "$name|memfs-modes|1.1|pagerfs-dev" "$name|memfs-uring-modes|1.1")
done
targets+=("create|memfs|5" "unlink|memfs|5" "rename|memfs|5")
rows+=("unpack|unpack a source tree|s" "copy|cp -a of it|s"
    "commit|git init, add, commit|s" "remove|rm -rf|s"
    "idle|wake-ups in 3 idle seconds|wake-ups")
for name in unpack copy commit remove; do
    targets+=("$name|tmpfs|0.33" "$name|memfs|3")
done
libfuse=
files=3000 # names; and half as many files in the source tree
seconds=1
data=256 # MiB

bench_option() {
    [[ $1 == --libfuse && -n ${2:-} ]] || return 0
    libfuse=$2
    return 2
}

bench_prepare() {
    ((small)) && files=500 seconds=1 data=64
    meta=$(dirname "$PAGERFS")/../../tests/bench/meta
    [[ -x $meta ]] || die "there is no $meta: build the tests too"
    examples=$libfuse/build/example
    if [[ -n $libfuse ]]; then
        [[ -x $examples/memfs_ll && -x $examples/passthrough_hp ]] ||
            die "$libfuse has no build/example/memfs_ll and passthrough_hp"
    else
        say "without --libfuse CHECKOUT: against tmpfs alone"
        subjects=(pagerfs pagerfs-dev pagerfs-writeback pagerfs-writeback-max
            tmpfs)
    fi
    has_transport=0
    ! "$PAGERFS" -h 2>&1 | grep -q transport= || has_transport=1
    ((has_transport)) || forget_subject pagerfs-dev
    "$PAGERFS" -h 2>&1 | grep -q writeback || forget_subject pagerfs-writeback
    "$PAGERFS" -h 2>&1 | grep -q writeback_max= ||
        forget_subject pagerfs-writeback-max
    place=$work/place
    mkdir "$place"
    make_tree
}

forget_subject() {
    local subject kept=()
    for subject in "${subjects[@]}"; do
        [[ $subject == "$1" ]] || kept+=("$subject")
    done
    subjects=("${kept[@]}")
}

# Sources of some 8 KiB in folders of fifty.
make_tree() {
    mkdir "$work/tree"
    awk -v nr=$((files / 2)) -v tree="$work/tree" 'BEGIN {
        srand(1)
        for (i = 0; i < nr; i++) {
            dir = sprintf("%s/d%03d", tree, i / 50)
            if (i % 50 == 0)
                system("mkdir " dir)
            file = sprintf("%s/f%05d.c", dir, i)
            for (line = 20 + int(rand() * 200); line > 0; line--)
                printf "    value[%d] = other(%d) + %d;\n", rand() * 1e6, \
                    rand() * 1e6, rand() * 1e6 > file
            close(file)
        }
    }'
    tar -C "$work/tree" -cf "$work/tree.tar" .
    rm -r "$work/tree"
}

# --- rows -----------------------------------------------------------------------

# What it is for, on a file that is there.
small_write_row() {
    head -c "${data}M" /dev/zero >"$place/file"
    fio_row rwrite write iops --rw=randwrite --bs=4k --time_based \
        --runtime="$seconds"
    rm "$place/file"
}

data_rows() {
    local timed=(--time_based --runtime="$seconds")
    fio_row new write bw --rw=write --bs=1M
    fio_row over write bw --rw=write --bs=1M --overwrite=1
    fio_row rwrite write iops --rw=randwrite --bs=4k "${timed[@]}"
    cat "$place/file" >/dev/null # so that all of it is cached
    fio_row cread read bw --rw=read --bs=1M --invalidate=0 "${timed[@]}"
    fio_row crread read iops --rw=randread --bs=4k --invalidate=0 "${timed[@]}"
    fio_row cmmap read iops --rw=randread --bs=4k --invalidate=0 \
        --ioengine=mmap "${timed[@]}"
    [[ $subject == tmpfs ]] ||
        fio_row direct read bw --rw=read --bs=1M --direct=1 "${timed[@]}"
    rm "$place/file"
}

name_rows() {
    local row value
    mkdir "$place/names"
    "$meta" "$place/names" "$files" >"$work/meta.out" || die "meta fails on $subject"
    while read -r row value; do
        record "$row" "$subject" "$value"
    done <"$work/meta.out"
    rm -rf "$place/names"
}

# timed ROW COMMAND...
timed() {
    local row=$1 began=$EPOCHREALTIME
    shift
    "$@" >/dev/null 2>"$work/timed.err" || {
        say "$subject: no $row: $(tail -n 1 "$work/timed.err")"
        return 0
    }
    record "$row" "$subject" \
        "$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {print b - a}')"
}

commit() {
    git -C "$place/tree" init -q -b main && git -C "$place/tree" add . &&
        git -C "$place/tree" -c user.name=bench -c user.email=bench@example.org \
            -c gc.auto=0 commit -q -m all
}

tree_rows() {
    mkdir "$place/tree"
    timed unpack tar -C "$place/tree" -xf "$work/tree.tar"
    timed copy cp -a "$place/tree" "$place/copy"
    timed commit commit
    timed remove rm -rf "$place/tree" "$place/copy"
}

wake_ups() {
    cat /proc/"$daemon"/task/*/status |
        awk '/ctxt_switches/ {sum += $2} END {print sum}'
}

idle_row() {
    local before
    sleep 2
    before=$(wake_ups)
    sleep 3
    record idle "$subject" $(($(wake_ups) - before))
}

# --- subjects -------------------------------------------------------------------

pagerfs_start() {
    local options=ram=1g,size=1g,swap=$work
    ((!has_transport)) || options+=,transport=$1
    options+=${2:+,$2}
    daemon_start "$place" "$PAGERFS" -f -o "$options" pagerfs "$place"
}

memfs_start() {
    daemon_start "$place" "$examples/memfs_ll" -f -o "$1" "$place"
}

bench_subject() {
    subject=$1
    daemon=
    case $1 in
    pagerfs) with_uring pagerfs_start auto || pagerfs_start auto ;;
    pagerfs-dev) pagerfs_start dev ;;
    pagerfs-writeback | pagerfs-writeback-max)
        local how=writeback
        [[ $1 == pagerfs-writeback ]] || how+=,writeback_max=$((data * 3 / 2))m,size=2g
        with_uring pagerfs_start auto "$how" || pagerfs_start auto "$how"
        small_write_row
        return 0
        ;;
    tmpfs)
        mount -t tmpfs -o size=1g tmpfs "$place"
        undo "unmount '$place'"
        ;;
    memfs) memfs_start no_timeout ;;
    memfs-uring) with_uring memfs_start no_timeout,io_uring || return 0 ;;
    memfs-modes)
        memfs_start no_timeout,default_permissions
        name_rows
        return 0
        ;;
    memfs-uring-modes)
        with_uring memfs_start no_timeout,io_uring,default_permissions || return 0
        name_rows
        return 0
        ;;
    passthrough)
        mkdir -p "$work/below"
        mount -t tmpfs -o size=1g tmpfs "$work/below"
        undo "unmount '$work/below'"
        daemon_start "$place" "$examples/passthrough_hp" --foreground \
            --nopassthrough "$work/below" "$place"
        ;;
    esac
    data_rows
    name_rows
    tree_rows
    [[ -z $daemon ]] || idle_row
}

bench_describe() {
    cat <<TEXT
Files of $data MiB, $files names, a source tree of $((files / 2)) files; fio with psync, $seconds
seconds each where it goes on; ram=1g, so that nothing is paged out.
TEXT
}
