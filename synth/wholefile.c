#include "wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES 100

/* A file of its own beside `path`, whose name goes into part. Names of processes on other machines may meet: then
 * the next is tried. */
static int open_part(const char *path, char *part, size_t room)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0, fd = -1;

    for (int i = 0; i < TRIES && fd < 0; i++) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(part, room, "%.*s.part-%ld-%ld", folder, path, (long)getpid(), now.tv_nsec);
        fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            return -1;
    }
    return fd;
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        bytes += done;
        size -= (size_t)done;
    }
    return fsync(fd);
}

int lac_whole_file_write(const char *path, const void *bytes, size_t size)
{
    size_t room = strlen(path) + 64;
    char *part = malloc(room);
    int fd = part ? open_part(path, part, room) : -1;
    int failed = fd < 0 ? -1 : write_all(fd, bytes, size);

    if (fd >= 0) {
        int error = errno;

        failed = close(fd) || failed || rename(part, path) ? -1 : 0;
        if (failed) {
            error = errno ? errno : error;
            unlink(part);
            errno = error;
        }
    }
    free(part);
    return failed;
}
