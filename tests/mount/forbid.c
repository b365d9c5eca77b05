/* forbid - runs a program that may not use a system call, as containers do.
 *
 *     forbid CALL PROGRAM [ARGUMENT...]
 *
 * Needs root, who may filter system calls and keep the rights that mounting
 * takes. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *word;
    unsigned nr;
} calls[] = {
    { "io_uring_setup", SYS_io_uring_setup },
    { "io_uring_enter", SYS_io_uring_enter },
    { "io_uring_register", SYS_io_uring_register },
    { "process_vm_readv", SYS_process_vm_readv },
    { "process_vm_writev", SYS_process_vm_writev },
};

enum { NR_CALLS = sizeof(calls) / sizeof(calls[0]) };

static int forbid(unsigned nr)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
    unsigned call = 0;

    while (argc > 2 && call < NR_CALLS && strcmp(calls[call].word, argv[1]) != 0)
        call++;
    if (argc <= 2 || call == NR_CALLS)
        return 2;
    if (forbid(calls[call].nr) != 0) {
        perror("forbid: seccomp");
        return 1;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 1;
}
