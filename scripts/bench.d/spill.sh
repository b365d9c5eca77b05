# spill.sh - four times more data than memory: what a pager is for.
#
# Everybody gets the same memory, a cgroup of ram + 32 MiB that holds the load and
# its page cache, and for pagerfs the daemon too.  The file is written, read back
# from its beginning, read at random places, and overwritten at random places;
# before each step the page cache over it is dropped, so that what is read was
# last seen by the file system below.  Data cannot be compressed.
#
#   pagerfs   ram=256m, size= as large as the data, swap= a folder of the disk; over
#             /dev/fuse
#   pagerfs-uring  the same over io_uring, where daemon and kernel have it
#   tmpfs     the kernel's, its swap file in the same folder and of the same size
#   ext4      a file in that folder
#   raw       the same with O_DIRECT: what the disk can do
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with common.sh

title="Data four times the RAM budget"
page=bench-spill.md
subjects=(pagerfs pagerfs-uring tmpfs ext4 raw)
rows=(
    "write|sequential write, 1 MiB|MiB/s"
    "read|sequential read back, 1 MiB, cold|MiB/s"
    "rread1|random 4 KiB read, 1 job|I/Os a second"
    "rread4|random 4 KiB read, 4 jobs|I/Os a second"
    "rwrite|random 4 KiB write|I/Os a second"
    "calm|read of one resident page, 99th percentile|us"
    "flood|the same beside a writer without end|us"
    "slower|how much longer that is|times"
)
bounds=("slower|5")
targets=("write|tmpfs|1.0" "read|tmpfs|3" "read|raw|0.9" "rread1|tmpfs|1.0"
    "rread4|tmpfs|1.2" "rwrite|tmpfs|1.5")
for target in "${targets[@]}"; do
    targets+=("$target|pagerfs-uring")
done
ram=256 # MiB
seconds=3

bench_prepare() {
    data=$((4 * ram))
    if ((small)); then
        ram=64 data=256 seconds=1
    fi
    [[ $(findmnt -no FSTYPE --target "$work") == ext4 ]] ||
        die "$dir is not on ext4: give a folder that is, by --dir"
    place=$work/place
    mkdir "$place"
}

# The pages of the file that the kernel caches go; those of tmpfs stay, for they
# are the file.
forget() {
    sync -f "$1"
    dd of="$1" oflag=nocache conv=notrunc,fdatasync count=0 status=none
}

# measure ROW FIO_RUN_ARGUMENT...
measure() {
    local row=$1 value
    shift
    [[ $row == write ]] || forget "$file"
    value=$(fio_run "$@")
    record "$row" "$subject" "$value"
}

load() {
    local file=$2 direct=0
    [[ $subject == raw ]] && direct=1
    local common=(--filename="$file" --size="${data}M" --direct="$direct")
    local timed=("${common[@]}" --time_based --runtime="$seconds")
    measure write write bw "${common[@]}" --rw=write --bs=1M
    measure read read bw "${common[@]}" --rw=read --bs=1M
    measure rread1 read iops "${timed[@]}" --rw=randread --bs=4k
    measure rread4 read iops "${timed[@]}" --rw=randread --bs=4k --numjobs=4
    measure rwrite write iops "${timed[@]}" --rw=randwrite --bs=4k
}

# O_DIRECT: the daemon is asked each time, as it would be by many.
resident_page() {
    local page=(--filename="$place/page" --size=4k --rw=read --bs=4k --direct=1
        --time_based --runtime="$seconds")
    local writer calm flood
    calm=$(fio_run read p99 "${page[@]}")
    record calm "$subject" "$calm"
    in_group fio --name=flood --filename="$place/file" --size="${data}M" \
        --rw=write --bs=1M --overwrite=1 --refill_buffers --ioengine=psync \
        --time_based --runtime=$((seconds + 2)) >/dev/null &
    writer=$!
    sleep 1
    flood=$(fio_run read p99 "${page[@]}")
    record flood "$subject" "$flood"
    record slower "$subject" "$(awk -v a="$flood" -v b="$calm" 'BEGIN {print a / b}')"
    wait "$writer"
}

swap_on() {
    local file=$work/swapfile
    fallocate -l "$((data + 64))M" "$file"
    undo "rm -f '$file'"
    chmod 600 "$file"
    mkswap "$file" >/dev/null
    swapon "$file"
    undo "wait_until 30 swap_off '$file'"
}

# It may be interrupted, or find too little memory at the moment.
swap_off() {
    swapoff "$1" 2>/dev/null || ! grep -q "^$1 " /proc/swaps
}

pagerfs_start() {
    # Whatever other swap the machine has is not for the daemon.
    group_no_swap "$group"
    daemon_start "$place" "$PAGERFS" -f -o \
        "ram=${ram}m,size=$((data + 16))m,swapsize=$((data + 64))m,swap=$work,transport=$1" \
        pagerfs "$place"
}

bench_subject() {
    subject=$1
    in_group_of $(((ram + 32) << 20))
    case $1 in
    pagerfs) pagerfs_start dev ;;
    pagerfs-uring) with_uring pagerfs_start uring || return 0 ;;
    tmpfs)
        swap_on
        # The load waits for swap then; else it is killed now and then.
        group_no_kill "$group"
        mount -t tmpfs -o "size=$((data + 16))m" tmpfs "$place"
        undo "unmount '$place'"
        ;;
    *)
        undo "rm -f '$place/file'"
        ;;
    esac
    load "$1" "$place/file"
    [[ $1 != pagerfs* ]] || resident_page
}

bench_describe() {
    cat <<TEXT
One file of $data MiB, ram=${ram}m; load and file system together in a memory cgroup
of $((ram + 32)) MiB. fio with psync; for random access $seconds seconds each. Swap files, the
file on ext4 and that of "raw" (the same, with O_DIRECT) are in one folder of the disk.
TEXT
}
