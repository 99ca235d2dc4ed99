#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "modelopen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modelfile.h"
#include "workspace.h"

static int read_all(int fd, uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = read(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return LAC_ERROR_IO;
        if (n == 0)
            return LAC_ERROR_TRUNCATED;
        data += n;
        size -= (size_t)n;
    }
    return LAC_OK;
}

static int load(lac_model_bytes *bytes, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return LAC_ERROR_IO;
    if (st.st_size == 0)
        return LAC_ERROR_TRUNCATED;
    if (st.st_size > (off_t)LAC_MODEL_MAX_BYTES)
        return LAC_ERROR_LIMIT;
    bytes->size = (size_t)st.st_size;
    void *mapping = mmap(NULL, bytes->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping != MAP_FAILED) {
        bytes->data = bytes->mapping = mapping;
        return LAC_OK;
    }
    bytes->data = bytes->owned = lac_alloc(bytes->size);
    return bytes->owned == NULL ? LAC_ERROR_MEMORY : read_all(fd, bytes->owned, bytes->size);
}

int lac_model_bytes_read(lac_model_bytes *bytes, const char *path)
{
    memset(bytes, 0, sizeof *bytes);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* what is no file, a FIFO say, must not block */
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? LAC_ERROR_NOT_FOUND : LAC_ERROR_IO;
    int status = load(bytes, fd);
    close(fd);
    if (status != LAC_OK)
        lac_model_bytes_release(bytes);
    return status;
}

void lac_model_bytes_release(lac_model_bytes *bytes)
{
    if (bytes->mapping != NULL)
        munmap(bytes->mapping, bytes->size);
    lac_free(bytes->owned);
    memset(bytes, 0, sizeof *bytes);
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* path = directory / name .lacm; false if it is too long or no such file exists. */
static bool try_directory(char path[LAC_MODEL_PATH_SIZE], const char *directory, size_t length, const char *name)
{
    size_t n = strlen(name);
    if (length == 0 || length > LAC_MODEL_PATH_SIZE - 8 || n > LAC_MODEL_PATH_SIZE - 8 - length)
        return false;
    memcpy(path, directory, length);
    path[length] = '/';
    memcpy(path + length + 1, name, n);
    memcpy(path + length + 1 + n, ".lacm", 6);
    return exists(path);
}

int lac_model_find(char path[LAC_MODEL_PATH_SIZE], const char *name)
{
    if (strchr(name, '/') != NULL || exists(name)) {
        size_t n = strlen(name);
        if (n >= LAC_MODEL_PATH_SIZE)
            return LAC_ERROR_NOT_FOUND;
        memcpy(path, name, n + 1);
        return LAC_OK;
    }
    const char *directories = getenv("LAC_MODEL_PATH");
    while (directories != NULL && *directories != 0) {
        size_t length = strcspn(directories, ":");
        if (try_directory(path, directories, length, name))
            return LAC_OK;
        directories += length + (directories[length] == ':');
    }
    return try_directory(path, LAC_MODEL_DIR, strlen(LAC_MODEL_DIR), name) ? LAC_OK : LAC_ERROR_NOT_FOUND;
}
