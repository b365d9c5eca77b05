/* steer.c - pagerctl, again and again, on a mount that others use.
 *
 *     steer PAGERCTL MOUNT SECONDS SEED PLACE...
 *
 * Two processes, each with a random sequence of its own: one changes things
 * (advise, evict, swapon, swapoff, set; now and then it interrupts what takes
 * long), one looks (verify, frag, stat).  The files are those of stress.  PLACEs are
 * folders for swap, the first of which is in use.  It is known which areas are in
 * use and what ram= is: what a command says it has done must be so, and a refusal
 * must be one that its manual has, and change nothing.  In the end only the first
 * place is in use again, and ram= and size= are ample, size= the smaller one.
 *
 * The sequences depend on the seed alone; how long each command takes does not.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PLACES = 8, MAX_WORDS = 6, SAID_BYTES = 4096 };
/* No command may take longer, and none be told for longer to try again. */
enum { PATIENCE_MS = 120000, RETRY_MS = 20 };
/* Status of a command that was interrupted. */
enum { INTERRUPTED = -1 };
/* What slots.c makes. */
enum { NR_DIRS = 4, NR_FILES = 24 };
/* MiB. */
enum { LEAST_RAM = 8, SHORT_RAM = 13, MOST_RAM = 64 };
enum { LEAST_SIZE = 8, MOST_SIZE = 32 };
enum { MOST_AREA = 24 };

static const char *program, *mount;
static char **places;
static unsigned nr_places;
static uint64_t seed, state;
static bool in_use[MAX_PLACES];

/* The command under way, for who reads why it failed, and what it said. */
static char command[512], said[SAID_BYTES];
static unsigned nr_commands, nr_refused, nr_interrupted;

static void say(const char *format, va_list args)
{
    fprintf(stderr, "steer: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n  command %u: %s\n  it said: %s\n  seed %" PRIu64 "\n",
            nr_commands, command, said, seed);
}

static _Noreturn void die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static _Noreturn void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    exit(EXIT_FAILURE);
}

/* splitmix64 */
static unsigned below(unsigned bound)
{
    uint64_t v = state += 0x9e3779b97f4a7c15u;

    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
    v = (v ^ v >> 27) * 0x94d049bb133111ebu;
    return (unsigned)((v ^ v >> 31) % bound);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- one command ----------------------------------------------------------- */

static pid_t start(char *const argv[], int *from)
{
    int pipes[2];
    pid_t child;

    if (pipe(pipes) != 0 || (child = fork()) < 0)
        die("cannot start: %s", strerror(errno));
    if (child == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execv(argv[0], argv);
        _exit(127);
    }
    close(pipes[1]);
    *from = pipes[0];
    return child;
}

/* Reads what it says to the end; after_ms > 0: interrupts it then. */
static void listen_to(pid_t child, int from, unsigned after_ms)
{
    struct pollfd poll_from = { .fd = from, .events = POLLIN };
    int64_t begun = now_ms();
    size_t length = 0;

    said[0] = '\0';
    for (;;) {
        char rest[SAID_BYTES];
        int64_t left = (after_ms ? after_ms : PATIENCE_MS) -
                       (now_ms() - begun);
        int ready = poll(&poll_from, 1, left > 0 ? (int)left : 0);
        ssize_t got;

        if (ready == 0 && after_ms == 0) {
            kill(child, SIGKILL);
            die("is stuck");
        }
        if (ready == 0) {
            kill(child, SIGINT);
            after_ms = 0;
            continue;
        }
        got = read(from, rest, sizeof(rest));
        if (got <= 0)
            break;
        if ((size_t)got > sizeof(said) - 1 - length)
            got = (ssize_t)(sizeof(said) - 1 - length);
        memcpy(said + length, rest, (size_t)got);
        length += (size_t)got;
        said[length] = '\0';
    }
}

/* The exit status of PAGERCTL with these words, or INTERRUPTED. */
static int once(unsigned after_ms, char *const argv[])
{
    int from, status;
    pid_t child;

    nr_commands++;
    child = start(argv, &from);
    listen_to(child, from, after_ms);
    close(from);
    if (waitpid(child, &status, 0) != child)
        die("waitpid: %s", strerror(errno));
    if (after_ms && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) {
        nr_interrupted++;
        return INTERRUPTED;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        die("ends with status %#x", (unsigned)status);
    nr_refused += WEXITSTATUS(status) == 1;
    return WEXITSTATUS(status);
}

/* The same, with a printf format for each word after the first, until none says
 * that others are at work.  The last argument is NULL. */
static int run(unsigned after_ms, const char *first, ...)
{
    const char *argv[MAX_WORDS] = { program, first };
    int64_t begun = now_ms();
    int status, nr = 2;
    va_list args;

    va_start(args, first);
    while (nr < MAX_WORDS - 1 && (argv[nr] = va_arg(args, const char *)))
        nr++;
    va_end(args);
    command[0] = '\0';
    for (int i = 1; i < nr; i++) {
        size_t length = strlen(command);

        snprintf(command + length, sizeof(command) - length, "%s ", argv[i]);
    }
    for (;;) {
        status = once(after_ms, (char *const *)argv);
        if (status != 1 || !strstr(said, "another such command"))
            return status;
        if (now_ms() - begun > PATIENCE_MS)
            die("is told to wait for ever");
        poll(NULL, 0, RETRY_MS);
    }
}

static void may_refuse(int status, const char *why, const char *or)
{
    if (status == 1 && !strstr(said, why) && !strstr(said, or))
        die("is refused");
}

/* --- what must be so ------------------------------------------------------- */

static bool listed(const char *place)
{
    const char *at = strstr(said, place);

    return at && at[strlen(place)] == ' ';
}

/* Swap is where it should be; after an interruption, where it is. */
static void look_at_swap(bool known)
{
    if (run(0, "swapon", mount, NULL) != 0)
        die("no list of areas");
    for (unsigned i = 0; i < nr_places; i++) {
        if (known && listed(places[i]) != in_use[i])
            die("%s is %sused", places[i], in_use[i] ? "not " : "");
        in_use[i] = listed(places[i]);
    }
    if (strstr(said, "leaving"))
        die("an area is still leaving");
}

static uint64_t ram_now(void)
{
    const char *at;

    if (run(0, "stat", mount, NULL) != 0 || !(at = strstr(said, " ram ")))
        die("no figures");
    return strtoumax(at + 5, NULL, 10);
}

/* --- those that change something ------------------------------------------- */

static unsigned sometimes(void)
{
    return below(4) == 0 ? 1 + below(60) : 0;
}

static const char *some_file(void)
{
    static char name[512];

    if (below(4) == 0)
        snprintf(name, sizeof(name), "%s/stripes", mount);
    else
        snprintf(name, sizeof(name), "%s/d%u/file%u", mount, below(NR_DIRS),
                 below(NR_FILES));
    return name;
}

static void advise(void)
{
    static const char *const advices[] = { "default", "sequential", "random",
                                           "willneed", "dontneed" };

    may_refuse(run(sometimes(), "advise", some_file(), advices[below(5)], NULL),
               "No such file", "tale file");
}

/* A file that is written all the while is sent out again and again, for seconds:
 * not here. */
static void evict(void)
{
    const char *name = below(3) ? some_file() : mount;

    may_refuse(run(1 + below(300), "evict", name, NULL), "give the mount",
               "No such file");
}

static void swapon(void)
{
    unsigned i = below(nr_places);
    char size[32], priority[32];
    int status;

    snprintf(size, sizeof(size), "size=%um", 1 + below(MOST_AREA));
    snprintf(priority, sizeof(priority), "priority=%u", below(3));
    status = run(0, "swapon", mount, places[i], size,
                 below(4) ? priority : NULL, NULL);
    if (status == 1 && in_use[i])
        may_refuse(status, "is swap of this mount already", "already");
    else if (status == 1 || in_use[i])
        die("it is %s use", in_use[i] ? "in" : "not in");
    in_use[i] = true;
    look_at_swap(true);
}

static void swapoff(void)
{
    unsigned i = below(nr_places), after = sometimes();
    int status = run(after, "swapoff", mount, places[i], NULL);

    may_refuse(status, in_use[i] ? "cannot go" : "is no swap", "Interrupted");
    if (status == 0 && !in_use[i])
        die("it was not in use");
    if (status == 0)
        in_use[i] = false;
    look_at_swap(status != INTERRUPTED);
}

static void set_ram(void)
{
    unsigned most = below(4) ? SHORT_RAM : MOST_RAM;
    uint64_t wanted = LEAST_RAM + below(most - LEAST_RAM), before = ram_now();
    char ram[32];
    int status;

    snprintf(ram, sizeof(ram), "ram=%um", (unsigned)wanted);
    status = run(sometimes(), "set", ram, mount, NULL);
    may_refuse(status, "give at least", "has no room");
    wanted <<= 20;
    if (status == 0 && ram_now() != wanted)
        die("ram= is not %" PRIu64, wanted);
    if (status == 1 && ram_now() != before)
        die("ram= was %" PRIu64, before);
}

static void set_size(void)
{
    char size[32];

    snprintf(size, sizeof(size), "size=%um",
             LEAST_SIZE + below(MOST_SIZE - LEAST_SIZE));
    may_refuse(run(0, "set", size, mount, NULL), "less than what is used",
               "more than ram= and swap hold");
}

/* The first area is in use again, and the others are not. */
static void settle(void)
{
    if (!in_use[0] &&
        run(0, "swapon", mount, places[0], "size=128m", NULL) != 0)
        die("cannot settle");
    if (run(0, "set", "ram=64m", "size=48m", mount, NULL) != 0)
        die("cannot settle");
    for (unsigned i = 1; i < nr_places; i++)
        if (in_use[i] && run(0, "swapoff", mount, places[i], NULL) != 0)
            die("cannot settle");
}

/* --- those that look ------------------------------------------------------- */

static void verify(void)
{
    int status = run(0, "verify", mount, NULL);

    may_refuse(status, "take too long to count", "all is well");
    if (status == 0 && !strstr(said, "all is well"))
        die("something is wrong");
}

static void frag(void)
{
    if (run(sometimes(), "frag", mount, NULL) == 1)
        die("is refused");
}

static void figures(void)
{
    if (run(0, "stat", "--json", mount, NULL) != 0)
        die("is refused");
}

/* --- all of it ------------------------------------------------------------- */

static void for_seconds(unsigned seconds, void (*const kinds[])(void),
                        unsigned nr)
{
    int64_t end = now_ms() + seconds * INT64_C(1000);

    while (now_ms() < end)
        kinds[below(nr)]();
}

static void tell(const char *what)
{
    fprintf(stderr, "steer: %u commands that %s, %u refused, %u interrupted "
            "(seed %" PRIu64 ")\n", nr_commands, what, nr_refused,
            nr_interrupted, seed);
}

int main(int argc, char **argv)
{
    static void (*const changes[])(void) = { advise, advise, evict, evict,
                                             swapon, swapon, swapoff, swapoff,
                                             swapoff, set_ram, set_ram,
                                             set_size };
    static void (*const looks[])(void) = { verify, verify, frag, figures };
    unsigned seconds;
    pid_t looker;
    int status;

    if (argc < 6 || argc - 5 > MAX_PLACES) {
        fputs("usage: steer PAGERCTL MOUNT SECONDS SEED PLACE...\n", stderr);
        return 2;
    }
    program = argv[1];
    mount = argv[2];
    seconds = (unsigned)atoi(argv[3]);
    seed = strtoumax(argv[4], NULL, 0);
    places = argv + 5;
    nr_places = (unsigned)argc - 5;
    in_use[0] = true;
    looker = fork();
    if (looker == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        state = ~seed;
        for_seconds(seconds, looks, sizeof(looks) / sizeof(looks[0]));
        tell("look");
        return EXIT_SUCCESS;
    }
    state = seed;
    for_seconds(seconds, changes, sizeof(changes) / sizeof(changes[0]));
    if (waitpid(looker, &status, 0) != looker || status != 0)
        return EXIT_FAILURE;
    settle();
    tell("change something");
    return EXIT_SUCCESS;
}
