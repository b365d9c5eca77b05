# frag.sh - how well files lie together on swap after many were copied.
#
# The load that FreeBSD's VM6 was judged by (tests/bench/copiers.c): 200 files of 1,
# 2, ... 200 KiB, copied by 60 threads at a time and deleted, 50 times; then copied
# once more, and the originals deleted.  The pool has frames for a quarter of them.
#
#   steps     copied in writes of 1 KiB
#   turns     the same, all 60 growing at the same pace
#   whole     copied in writes of 128 KiB, as cp does
#
# What is counted are pages whose block does not follow that of the page before
# (breaks): of the pairs of pages that are on swap, and of all slots of the block
# maps, as fragc does, with which VM6 was measured.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with common.sh

title="Fragmentation"
page=bench-frag.md
subjects=(steps turns whole)
rows=("pairs|breaks of pairs|%" "slots|breaks of slots|%"
    "allpairs|all pages out: breaks of pairs|%"
    "allslots|all pages out: breaks of slots|%"
    "run|mean run|pages" "out|written to swap, for a page copied|pages"
    "in|read from swap, for a page copied|pages" "length|mean write|pages")
targets=()
bounds=("pairs|1" "slots|0.2" "allpairs|1" "allslots|0.2")
files=200 threads=60 copyings=50
frames=1275 # a quarter of the 5100 pages of all files
ram=6580    # KiB; leaves that many frames

bench_prepare() {
    ((small)) && copyings=10
    place=$work/place
    mkdir "$place"
    built=$(dirname "$PAGERFS")/../..
    copiers=$root/build-gcc/tests/bench/copiers
    [[ -x $copiers ]] || copiers=$built/tests/bench/copiers
    pagerctl=$built/src/ctl/pagerctl
    [[ -x $copiers && -x $pagerctl ]] || die "$built has no copiers and pagerctl"
}

# figure NAME: of the JSON on stdin.
figure() {
    awk -F'[:, ]+' -v name="\"$1\"" '{
        for (i = 1; i < NF; i++)
            if ($i == name) {
                print $(i + 1)
                exit
            }
    }'
}

# part A B: A of B; in hundreds with a third argument.
part() {
    awk -v a="$1" -v b="$2" -v scale="${3:-1}" \
        'BEGIN {printf "%.4f\n", b ? scale * a / b : 0}'
}

# record_breaks PREFIX
record_breaks() {
    local frag breaks
    frag=$("$pagerctl" frag --json "$place")
    breaks=$(figure breaks <<<"$frag")
    record "${1}pairs" "$subject" \
        "$(part "$breaks" "$(figure pairs <<<"$frag")" 100)"
    record "${1}slots" "$subject" \
        "$(part "$breaks" "$(figure slots <<<"$frag")" 100)"
    [[ -n $1 ]] || record run "$subject" \
        "$(part "$(figure pages <<<"$frag")" "$(figure runs <<<"$frag")")"
}

bench_subject() {
    local load=("$place" "$files" "$threads" "$copyings") copied stat paged
    subject=$1
    daemon_start "$place" "$PAGERFS" -f \
        -o "ram=${ram}k,size=64m,swap=$work" pagerfs "$place"
    case $1 in
    steps) copied=$("$copiers" "${load[@]}" 1024) ;;
    turns) copied=$("$copiers" "${load[@]}" 1024 turns) ;;
    whole) copied=$("$copiers" "${load[@]}" 131072) ;;
    esac
    record_breaks ""
    stat=$("$pagerctl" stat --json "$place")
    (($(figure frames <<<"$stat") <= frames)) ||
        die "ram=${ram}k leaves more than $frames frames"
    copied=$(awk '{print $1 * 256}' <<<"$copied")
    paged=$(figure pageout_pages <<<"$stat")
    record out "$subject" "$(part "$paged" "$copied")"
    record length "$subject" "$(part "$paged" "$(figure pageout_ios <<<"$stat")")"
    record in "$subject" "$(part "$(figure pagein_pages <<<"$stat")" "$copied")"
    "$pagerctl" evict "$place" >/dev/null
    record_breaks all
}

bench_describe() {
    cat <<TEXT
$files files of 1, 2, ... $files KiB, copied $copyings times, and once more; ram=${ram}k, which
leaves a pool of no more than $frames frames: a quarter of the files' pages. Of the pages
that stay in memory some have no block; with all of them out no break is hidden there.
TEXT
}
