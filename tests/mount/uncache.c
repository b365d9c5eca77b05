/* uncache.c - drops the kernel's cached pages of the files named on stdin, one
 * a line, so that reading them asks the file system. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    char path[4096];

    while (fgets(path, sizeof(path), stdin) != NULL) {
        int fd;

        path[strcspn(path, "\n")] = '\0';
        fd = open(path, O_RDONLY);
        if (fd < 0 || fsync(fd) != 0 ||
            posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) {
            perror(path);
            return EXIT_FAILURE;
        }
        close(fd);
    }
    return EXIT_SUCCESS;
}
