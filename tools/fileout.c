#include "fileout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

/* What the signal handler removes. */
static const char *volatile doomed;

static void clean_up(int number)
{
    const char *path = doomed;

    if (path)
        unlink(path);
    if (isatty(STDERR_FILENO)) {
        ssize_t ignored = write(STDERR_FILENO, "\r\033[K", 4);

        (void)ignored;
    }
    /* SA_RESETHAND restored the default action: the caller sees that the signal ended us. */
    raise(number);
}

void lac_file_out_signals(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = clean_up;
    action.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        struct sigaction old;

        if (!sigaction(ending[i], NULL, &old) && old.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* The directory of `path` with its slash, then a name that `mkstemp` completes. */
static char *temporary_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t directory = slash ? (size_t)(slash - path) + 1 : 0;
    size_t size = directory + sizeof ".lac-XXXXXX";
    char *name = malloc(size);

    if (name)
        snprintf(name, size, "%.*s.lac-XXXXXX", (int)directory, path);
    return name;
}

/* A file that did not open holds nothing. */
static int forget(lac_file_out *file, int error)
{
    free(file->temporary);
    free(file->path);
    file->temporary = file->path = NULL;
    return lac_report(file->name, "%s", strerror(error));
}

static int open_temporary(lac_file_out *file)
{
    sigset_t all, old;
    mode_t mask = umask(0);

    umask(mask);
    file->temporary = temporary_name(file->path);
    if (!file->temporary)
        return forget(file, ENOMEM);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    file->fd = mkstemp(file->temporary);
    int error = errno;
    if (file->fd >= 0)
        doomed = file->temporary;
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (file->fd < 0)
        return forget(file, error);
    fcntl(file->fd, F_SETFD, FD_CLOEXEC);
    if (fchmod(file->fd, 0666 & ~mask))
        file->error = 0; /* some file systems have no modes; the file is as good without */
    return 0;
}

static int is_same_file(const char *input, const struct stat *output)
{
    struct stat st;

    return stat(input, &st) == 0 && st.st_dev == output->st_dev && st.st_ino == output->st_ino;
}

/* May what exists already be written to? */
static int check_existing(const char *path, const char *input, const struct stat *st, int force)
{
    if (S_ISDIR(st->st_mode))
        return lac_report(path, "%s", strerror(EISDIR));
    if (!S_ISREG(st->st_mode))
        return 0;
    if (is_same_file(input, st))
        return lac_report(path, "is the input file");
    if (!force)
        return lac_report(path, "exists; -f overwrites it");
    return access(path, W_OK) ? lac_report(path, "%s", strerror(errno)) : 0;
}

/* Is there a folder for what does not exist? */
static int check_new(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int failed = !folder || access(folder, W_OK | X_OK) ? lac_report(path, "%s", strerror(errno)) : 0;

    free(folder);
    return failed;
}

static int check_terminal(int force)
{
    if (!isatty(STDOUT_FILENO) || force)
        return 0;
    return lac_report_usage("", "standard output is a terminal; -f writes to it nonetheless");
}

int lac_file_out_check(const char *path, const char *input, int force)
{
    struct stat st;

    if (strcmp(path, "-") == 0)
        return check_terminal(force);
    if (stat(path, &st) == 0)
        return check_existing(path, input, &st, force);
    return errno == ENOENT ? check_new(path) : lac_report(path, "%s", strerror(errno));
}

static int open_existing(lac_file_out *file, const char *path, const char *input, const struct stat *st)
{
    int failed = check_existing(path, input, st, file->force);

    if (failed)
        return failed;
    if (!S_ISREG(st->st_mode)) {
        file->fd = open(path, O_WRONLY | O_CLOEXEC);
        return file->fd < 0 ? lac_report(path, "%s", strerror(errno)) : 0;
    }
    file->path = realpath(path, NULL); /* a link stays, the file it leads to is replaced */
    return file->path ? open_temporary(file) : lac_report(path, "%s", strerror(errno));
}

int lac_file_out_open(lac_file_out *file, const char *path, const char *input, int force)
{
    struct stat st;

    memset(file, 0, sizeof *file);
    file->name = lac_report_name(path, 1);
    file->fd = -1;
    file->force = force;
    if (strcmp(path, "-") == 0) {
        int failed = check_terminal(force);

        file->fd = failed ? -1 : STDOUT_FILENO;
        return failed;
    }
    if (stat(path, &st) == 0)
        return open_existing(file, path, input, &st);
    if (errno != ENOENT)
        return lac_report(path, "%s", strerror(errno));
    file->path = strdup(path);
    return file->path ? open_temporary(file) : lac_report(path, "%s", strerror(ENOMEM));
}

int lac_file_out_write(lac_file_out *file, const void *data, size_t size)
{
    const char *next = data;

    while (size) {
        ssize_t done = write(file->fd, next, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            if (!file->error)
                file->error = errno;
            return -1;
        }
        next += done;
        size -= (size_t)done;
    }
    return 0;
}

static int io_write(void *user, const void *data, size_t size)
{
    return lac_file_out_write(user, data, size);
}

lac_io lac_file_out_io(lac_file_out *file)
{
    lac_io io = {file, NULL, io_write, NULL, NULL};

    return io;
}

/* Without -f, a file that appeared meanwhile is left alone. */
static int give_name(const lac_file_out *file)
{
    if (!file->force) {
        if (link(file->temporary, file->path) == 0)
            return unlink(file->temporary);
        if (errno == EEXIST)
            return -1;
    }
    return rename(file->temporary, file->path);
}

int lac_file_out_commit(lac_file_out *file)
{
    int failed = 0;

    if (file->fd > STDOUT_FILENO && close(file->fd) && !file->error)
        file->error = errno;
    file->fd = -1;
    if (file->error) {
        failed = lac_report(file->name, "%s", strerror(file->error));
    } else if (file->temporary) {
        if (give_name(file)) {
            failed = lac_report(file->name, "%s", strerror(errno));
        } else {
            doomed = NULL;
            free(file->temporary);
            file->temporary = NULL;
        }
    }
    lac_file_out_discard(file);
    return failed;
}

void lac_file_out_discard(lac_file_out *file)
{
    if (file->fd > STDOUT_FILENO)
        close(file->fd);
    file->fd = -1;
    if (file->temporary) {
        unlink(file->temporary);
        doomed = NULL;
    }
    free(file->temporary);
    free(file->path);
    file->temporary = file->path = NULL;
}
