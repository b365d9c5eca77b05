# table.awk - single figures to a table of medians, and what became of targets.
#
# Input, fields parted by '|':
#     row|NAME|LABEL|UNIT           in the order of the table; unit s: less is better
#     target|ROW|SUBJECT|FACTOR[|OURS[|FLOOR]]   the first subject, or OURS, is to
#                                   be so much faster than that one, and in no case
#                                   less than FLOOR
#     bound|ROW|MOST                every subject is to have less
#     value|ROW|SUBJECT|VALUE
# -v subjects="A B ...": the columns, the first of them ours.

$1 == "row" {
    order[++nr_rows] = $2
    label[$2] = $3
    unit[$2] = $4
}
$1 == "target" {
    nr = ++targets_of[$2]
    against[$2, nr] = $3
    factor[$2, nr] = $4
    ours_of[$2, nr] = $5
    floor[$2, nr] = $6
    targeted = 1
}
$1 == "bound" {
    most[$2] = $3
}
$1 == "value" {
    value[$2, $3, ++count[$2, $3]] = $4
}

function median(row, subject,    n, i, j, swap, v) {
    n = count[row, subject]
    if (!n)
        return ""
    for (i = 1; i <= n; i++)
        v[i] = value[row, subject, i] + 0
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j] < v[j - 1]; j--) {
            swap = v[j]
            v[j] = v[j - 1]
            v[j - 1] = swap
        }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function shown(x) {
    if (x == "")
        return "-"
    return sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : "%.2f", x)
}

# How much faster ours is than the other.
function ratio(row, ours, other,    a, b) {
    a = median(row, ours)
    b = median(row, other)
    if (a == "" || b == "" || a == 0 || b == 0)
        return ""
    return unit[row] == "s" ? b / a : a / b
}

# What became of target i of the row.
function outcome(row, i, r) {
    if (r == "" || r + 0 >= factor[row, i] + 0)
        return ""
    return " **missed**" \
        (r + 0 < floor[row, i] + 0 ? ", below " floor[row, i] : "")
}

function verdict(row, first,    i, r, ours, text) {
    for (i = 1; i <= targets_of[row]; i++) {
        ours = ours_of[row, i] != "" ? ours_of[row, i] : first
        if (ours != first && median(row, ours) == "")
            continue
        r = ratio(row, ours, against[row, i])
        text = text (text != "" ? "; " : "") (ours != first ? ours " " : "") \
            (r == "" ? "-" : sprintf("%.2f", r)) " × " against[row, i] \
            ", wanted " factor[row, i] outcome(row, i, r)
    }
    return text
}

# Whether all subjects keep below the bound.
function kept(row,    s, missed) {
    if (!(row in most))
        return ""
    for (s = 1; s <= nr_subjects; s++)
        missed = missed || median(row, subject[s]) >= most[row] + 0
    return "wanted < " most[row] (missed ? " **missed**" : "")
}

END {
    nr_subjects = split(subjects, subject, " ")
    head = "| |"
    line = "|---|"
    for (s = 1; s <= nr_subjects; s++) {
        head = head " " subject[s] " |"
        line = line "---:|"
    }
    print head " " (targeted ? subject[1] " is" : "") " |"
    print line "---|"
    for (r = 1; r <= nr_rows; r++) {
        row = order[r]
        text = "| " label[row] ", " unit[row] " |"
        for (s = 1; s <= nr_subjects; s++)
            text = text " " shown(median(row, subject[s])) " |"
        print text " " verdict(row, subject[1]) kept(row) " |"
    }
}
