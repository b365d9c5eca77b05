# table.awk - sets two runs of a suite side by side.
#
# Usage: awk -v a=NAME -v b=NAME -f table.awk A.tsv B.tsv
# A .tsv line is: test, result, seconds, remark.  Results: pass, fail, notrun.
# Of A only those tests count that are in B.

BEGIN {
    FS = "\t"
}

FILENAME == ARGV[1] {
    seen_a = 1
    result_a[$1] = $2
    remark_a[$1] = $4
    seconds_a[$1] = $3
    next
}

{
    tests[++count] = $1
    result_b[$1] = $2
    remark_b[$1] = $4
    total[a, result_a[$1]]++
    seconds[a] += seconds_a[$1]
    total[b, $2]++
    seconds[b] += $3
}

function row(name) {
    printf "%-12s %6d %6d %8d %9d s\n", name, total[name, "pass"],
        total[name, "fail"], total[name, "notrun"], seconds[name]
}

# Lists the tests with result x in run a and y in run b.
function list(x, y, title, remarks,    i, t, found) {
    for (i = 1; i <= count; i++) {
        t = tests[i]
        if (result_a[t] != x || result_b[t] != y)
            continue
        if (!found++)
            printf "\n%s:", title
        if (remarks)
            printf "\n  %-14s %s", t, remark_b[t] ? remark_b[t] : remark_a[t]
        else
            printf "%s%s", (found % 6 == 1) ? "\n  " : " ", t
    }
    if (found)
        print ""
}

END {
    printf "%-12s %6s %6s %8s %11s\n", "", "pass", "fail", "not run", "time"
    if (seen_a)
        row(a)
    row(b)
    list("pass", "fail", "pass on " a ", fail on " b, 1)
    list("pass", "notrun", "pass on " a ", not run on " b, 1)
    list("notrun", "fail", "not run on " a ", fail on " b, 1)
    list("fail", "fail", "fail on both", 1)
    list("fail", "notrun", "fail on " a ", not run on " b, 1)
    list("fail", "pass", "fail on " a ", pass on " b, 0)
    list("notrun", "pass", "not run on " a ", pass on " b, 0)
}
