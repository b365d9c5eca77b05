/* log.h - one line to stderr, or to syslog once the daemon has detached.
 *
 * Messages name the option, file or inode concerned and say what to do.
 * No newline at the end.  Never fails, never allocates (lines of up to 511
 * bytes; what is longer is cut).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Where lines go from now on: syslog if to_syslog, else stderr.  Levels above
 * max_level are dropped (default: INFO). */
void log_setup(const char *ident, int to_syslog, enum log_level max_level);

void log_line(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* An invariant that every build checks, because going on would corrupt data;
 * and one that only debug builds check.  `tag` is its number: I7, P2, ... */
void assert_failed(const char *tag, const char *expr, const char *file, int line)
    __attribute__((noreturn));
#ifdef PAGERFS_DEBUG
#define INVARIANT(tag, expr) \
    ((expr) ? (void)0 : assert_failed(tag, #expr, __FILE__, __LINE__))
#else
#define INVARIANT(tag, expr) ((void)sizeof((expr) ? 1 : 0))
#endif

#endif
