# cache.sh - what the kernel's own cache over the mount costs, and what it is worth.
#
# Load and daemon share a memory cgroup that is large enough for everything, so that
# each page that the kernel keeps for them is counted; the file fits into ram=.
#
#   auto    the kernel keeps what it likes
#   none    cache=none: it keeps nothing but what is, or was, mapped
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with common.sh

title="The kernel's cache over the mount"
page=bench-cache.md
subjects=(auto none)
rows=(
    "new|write, 1 MiB, new file|MiB/s"
    "rwrite|write, 4 KiB random|I/Os a second"
    "read|read again, 1 MiB|MiB/s"
    "rread|read again, 4 KiB random|I/Os a second"
    "mmap|read again, 4 KiB random, mapped|I/Os a second"
    "tree|1000 files of 8 KiB, copied there and read|s"
    "kept|kept by the kernel outside ram=, after the tree|MiB"
    "mapped|the same, after reading a mapped file|MiB"
    "rss|memory of the daemon|MiB"
)
targets=()
data=256 # MiB
seconds=2
ram=512

bench_prepare() {
    ((small)) && data=64 seconds=1
    place=$work/place
    mkdir "$place"
}

file_rows() {
    local timed=(--time_based --runtime="$seconds" --invalidate=0)
    fio_row new write bw --rw=write --bs=1M
    fio_row rwrite write iops --rw=randwrite --bs=4k "${timed[@]}"
    in_group cat "$place/file" >/dev/null
    fio_row read read bw --rw=read --bs=1M "${timed[@]}"
    fio_row rread read iops --rw=randread --bs=4k "${timed[@]}"
}

kept_row() {
    record "$1" "$subject" \
        "$(group_cached "$group" | awk '{print $1 / 1048576}')"
}

tree_row() {
    local began=$EPOCHREALTIME
    # shellcheck disable=SC2016  # expanded by the inner shell
    in_group bash -c 'mkdir "$1/tree" && head -c 8192 /dev/urandom >"$1/one" &&
        for ((i = 0; i < 1000; i++)); do cp "$1/one" "$1/tree/$i" || exit; done &&
        cat "$1"/tree/* >/dev/null' tree "$place" || die "the tree fails"
    record tree "$subject" \
        "$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {print b - a}')"
}

memory_rows() {
    kept_row kept
    fio_row mmap read iops --rw=randread --bs=4k --ioengine=mmap --time_based \
        --runtime="$seconds" --invalidate=0
    kept_row mapped
    record rss "$subject" \
        "$(awk '$1 == "VmRSS:" {print $2 / 1024}' "/proc/$daemon/status")"
}

bench_subject() {
    subject=$1
    in_group_of $((4 << 30))
    daemon_start "$place" "$PAGERFS" -f \
        -o "ram=${ram}m,size=${ram}m,swap=$work,transport=dev,cache=$1" pagerfs "$place"
    file_rows
    tree_row
    memory_rows
}

bench_describe() {
    cat <<TEXT
One file of $data MiB and a tree; ram=${ram}m, so that nothing is paged out; transport=dev.
fio with psync, or mmap; $seconds seconds each where it goes on.
TEXT
}
