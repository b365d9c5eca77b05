/* fake_system.h - a folder that stands for the root of the file system, with
 * /proc and /sys as a test wants them.
 *
 * Ownership   fake_system_make makes it, fake_system_remove removes it with all
 *             that was put there.
 * Errors      fail the test.
 */
#ifndef FAKE_SYSTEM_H
#define FAKE_SYSTEM_H

/* Where it is. */
extern char fake_system[];

void fake_system_make(void);
void fake_system_remove(void);
/* The file `path`, which begins with a slash, with its folders. */
void fake_system_put(const char *path, const char *text);

#endif
