# tree.sh - a source tree to unpack and build; sourced after $work is set.
#
#   tree_generate MODULES    makes $work/tree.tar
# shellcheck shell=bash
# shellcheck disable=SC2154  # $work

tree_kept=30000 # bytes of constant data in each module, by 60

# One module is a .c and a .h; twenty are a directory, its objects an archive.
tree_generate() {
    local modules=$1
    mkdir "$work/tree"
    awk -v modules="$modules" -v kept="$tree_kept" -v tree="$work/tree" '
    BEGIN {
        srand(1)
        for (i = 0; i < modules; i++) {
            dir = sprintf("%s/d%03d", tree, i / 20)
            if (i % 20 == 0)
                system("mkdir " dir)
            header = sprintf("%s/m%04d.h", dir, i)
            printf "#pragma once\nint m%04d(int depth);\n", i > header
            close(header)
            source = sprintf("%s/m%04d.c", dir, i)
            next_one = (i * 7 + 1) % modules
            printf "#include \"m%04d.h\"\n", i > source
            printf "#include \"../d%03d/m%04d.h\"\n", next_one / 20, next_one > source
            printf "static const char data[] =\n" > source
            for (n = 0; n < kept; n += 60) {
                line = "    \""
                for (k = 0; k < 60; k += 6)
                    line = line sprintf("%06x", int(rand() * 16777216))
                printf "%s\"\n", line "" > source
            }
            printf ";\nint m%04d(int depth)\n{\n", i > source
            printf "    int sum = data[depth %% %d] * %d;\n", kept, i > source
            printf "    return depth > 0 ? sum + m%04d(depth - 1) : sum;\n}\n", \
                next_one > source
            close(source)
        }
    }'
    cat >"$work/tree/main.c" <<'END'
#include <stdio.h>
#include "d000/m0000.h"
int main(void)
{
    printf("%d\n", m0000(1000));
    return 0;
}
END
    cat >"$work/tree/Makefile" <<'END'
dirs := $(wildcard d*)
libs := $(dirs:%=%/part.a)
program: main.o $(libs)
	gcc -o $@ main.o -Wl,--start-group $(libs) -Wl,--end-group
.SECONDEXPANSION:
d%/part.a: $$(addsuffix .o,$$(basename $$(wildcard d$$*/*.c)))
	ar rcD $@ $^
%.o: %.c
	gcc -O1 -g0 -c -o $@ $<
END
    tar -C "$work/tree" -cf "$work/tree.tar" .
    rm -r "$work/tree"
}
