/* caller.c - reading the lines Uid:, Gid: and Groups: of /proc/PID/status.
 *
 * The kernel tells the number that the caller has in the namespace of processes that
 * we are in.  Where /proc shows another one (who unshares it need not mount his own),
 * that number is somebody else's there, perhaps root's.
 *
 * Groups: may hold 65,536 numbers, so it is read through a small window and
 * never kept.  A match that straddles two windows is why the state of the scan
 * (how much of the label, which number so far) lives in a struct.
 */
#include "caller.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Uid: and Gid: tell the real, effective, saved and file-system one. */
enum { OF_FILE_SYSTEM = 3 };

struct scan {
    const char *label; /* begins with the end of the line before */
    unsigned matched;  /* characters of the label; all of them: in the line */
    unsigned count;    /* numbers that have ended */
    bool in_number;
    uint64_t number;
};

enum step { STEP_ON, STEP_NUMBER, STEP_END };

/* Takes one character; STEP_NUMBER when a number has just ended. */
static enum step scan_char(struct scan *scan, char c)
{
    enum step step = STEP_ON;

    if (scan->label[scan->matched] != '\0') {
        scan->matched = c == scan->label[scan->matched] ? scan->matched + 1
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
    scan->count += step == STEP_NUMBER;
    scan->in_number = false;
    return step;
}

bool caller_visible(void)
{
    char self[16], number[16];
    ssize_t length = readlink("/proc/self", self, sizeof(self));

    snprintf(number, sizeof(number), "%d", (int)getpid());
    return length == (ssize_t)strlen(number) &&
           memcmp(self, number, strlen(number)) == 0;
}

/* Is the number in the line, not counting the first `skip`? */
static bool line_has(pid_t thread, const char *label, unsigned skip,
                     uint64_t number)
{
    struct scan scan = { .label = label };
    bool found = false, ended = false;
    char window[512];
    ssize_t got;
    int fd;

    if (!caller_visible())
        return false;
    snprintf(window, sizeof(window), "/proc/%d/status", (int)thread);
    fd = open(window, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (!found && !ended && (got = read(fd, window, sizeof(window))) > 0) {
        for (ssize_t i = 0; i < got && !found && !ended; i++) {
            enum step step = scan_char(&scan, window[i]);

            found = step == STEP_NUMBER && scan.count > skip &&
                    scan.number == number;
            ended =
                step == STEP_END || (step == STEP_NUMBER && window[i] == '\n');
        }
    }
    close(fd);
    return found;
}

bool caller_is(pid_t thread, uid_t uid)
{
    return line_has(thread, "\nUid:", OF_FILE_SYSTEM, uid);
}

bool caller_leads(pid_t thread, gid_t gid)
{
    return line_has(thread, "\nGid:", OF_FILE_SYSTEM, gid);
}

bool caller_joined(pid_t thread, gid_t gid)
{
    return line_has(thread, "\nGroups:", 0, gid);
}
