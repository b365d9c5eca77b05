/* fake_system.c - files below a temporary folder. */
#include "fake_system.h"

#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

char fake_system[] = "/tmp/pagerfs-system-XXXXXX";

void fake_system_make(void)
{
    strcpy(fake_system + strlen(fake_system) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fake_system));
}

void fake_system_remove(void)
{
    char command[PATH_MAX];

    snprintf(command, sizeof(command), "rm -rf %s", fake_system);
    ck_assert_int_eq(system(command), 0);
}

void fake_system_put(const char *path, const char *text)
{
    char full[PATH_MAX];
    FILE *file;

    snprintf(full, sizeof(full), "%s%s", fake_system, path);
    for (char *slash = full + strlen(fake_system) + 1;
         (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(full, 0700);
    }
    file = fopen(full, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}
