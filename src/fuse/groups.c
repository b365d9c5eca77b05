/* groups.c - reading the line "Groups:" of /proc/PID/status.
 *
 * The line may hold 65,536 numbers, so it is read through a small window and
 * never kept.  A match that straddles two windows is why the state of the scan
 * (how much of the label, which number so far) lives in a struct.
 */
#include "groups.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static const char label[] = "\nGroups:";

struct scan {
    unsigned matched;  /* characters of the label; all of them: in the line */
    bool in_number;
    uint64_t number;
};

enum step { STEP_ON, STEP_NUMBER, STEP_END };

/* Takes one character; STEP_NUMBER when a number has just ended. */
static enum step scan_char(struct scan *scan, char c)
{
    enum step step = STEP_ON;

    if (label[scan->matched] != '\0') {
        scan->matched = c == label[scan->matched] ? scan->matched + 1
                                                  : (c == '\n');
        return STEP_ON;
    }
    if (c >= '0' && c <= '9') {
        scan->number = (scan->in_number ? scan->number * 10 : 0) +
                       (uint64_t)(c - '0');
        scan->in_number = true;
        return STEP_ON;
    }
    if (scan->in_number)
        step = STEP_NUMBER;
    else if (c == '\n')
        step = STEP_END;
    scan->in_number = false;
    return step;
}

bool groups_member(pid_t thread, gid_t gid)
{
    struct scan scan = { 0 };
    bool member = false, ended = false;
    char window[512];
    ssize_t got;
    int fd;

    snprintf(window, sizeof(window), "/proc/%d/status", (int)thread);
    fd = open(window, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (!member && !ended && (got = read(fd, window, sizeof(window))) > 0) {
        for (ssize_t i = 0; i < got && !member && !ended; i++) {
            enum step step = scan_char(&scan, window[i]);

            member = step == STEP_NUMBER && scan.number == gid;
            ended =
                step == STEP_END || (step == STEP_NUMBER && window[i] == '\n');
        }
    }
    close(fd);
    return member;
}
