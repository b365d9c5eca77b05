/* log.c - lines for the user, to stderr before detaching and syslog after.
 *
 * A line is formatted on the stack and written with one call, so lines of
 * several threads do not mix and nothing is allocated in a shortage.  Names of
 * files may hold anything: control characters become '?', so that one message
 * is one line.  errno is left as it was.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

enum { LINE_BYTES = 512 };

static const char *ident = "pagerfs";
static int to_syslog;
static enum log_level max_level = LOG_LEVEL_INFO;

void log_setup(const char *name, int use_syslog, enum log_level level)
{
    ident = name;
    to_syslog = use_syslog;
    max_level = level;
    if (use_syslog)
        openlog(name, LOG_PID, LOG_DAEMON);
}

static void emit(enum log_level level, const char *line, int length)
{
    static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
    char out[LINE_BYTES + 64];
    size_t n;

    if (to_syslog) {
        syslog(priority[level], "%.*s", length, line);
        return;
    }
    n = (size_t)snprintf(out, sizeof(out), "%.60s: %.*s\n", ident, length,
                         line);
    if (write(STDERR_FILENO, out, n) < 0)
        return; /* nowhere left to say it */
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LINE_BYTES];
    int saved_errno = errno;
    va_list args;
    int n;

    if (level > max_level)
        return;
    va_start(args, format);
    n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (n >= LINE_BYTES)
        n = LINE_BYTES - 1;
    for (int i = 0; i < n; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    }
    if (n > 0)
        emit(level, line, n);
    errno = saved_errno;
}

void assert_failed(const char *tag, const char *expr, const char *file, int line)
{
    log_error("%s:%d: invariant %s broken: %s", file, line, tag, expr);
    abort();
}
