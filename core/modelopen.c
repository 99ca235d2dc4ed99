#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "modelopen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lac/status.h"
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

int lac_model_bytes_take(lac_model_bytes *bytes, const void *data, size_t size)
{
    *bytes = (lac_model_bytes){.data = data, .size = size};
    if (size == 0)
        return LAC_ERROR_TRUNCATED;
    if (size > LAC_MODEL_MAX_BYTES)
        return LAC_ERROR_LIMIT;
    if ((uintptr_t)data % LAC_ALIGN == 0)
        return LAC_OK;
    bytes->data = bytes->owned = lac_alloc(size);
    if (bytes->owned == NULL)
        return LAC_ERROR_MEMORY;
    memcpy(bytes->owned, data, size);
    return LAC_OK;
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

/* Directories of models, one after the other: those of LAC_MODEL_PATH, then LAC_MODEL_DIR. */
typedef struct directories {
    const char *next; /* "": LAC_MODEL_DIR; NULL: none */
} directories;

static directories list_directories(void)
{
    const char *listed = getenv("LAC_MODEL_PATH");
    return (directories){listed != NULL ? listed : ""};
}

/* path = the next directory, with '/' behind it; false after the last. */
static bool next_directory(directories *d, char path[LAC_MODEL_PATH_SIZE])
{
    while (d->next != NULL) {
        bool last = *d->next == 0;
        const char *directory = last ? LAC_MODEL_DIR : d->next;
        size_t length = last ? strlen(directory) : strcspn(directory, ":");
        d->next = last ? NULL : directory + length + (directory[length] == ':');
        if (length > 0 && length + 2 <= LAC_MODEL_PATH_SIZE) {
            memcpy(path, directory, length);
            memcpy(path + length, "/", 2);
            return true;
        }
    }
    return false;
}

/* path = path name ending; false if it is too long. */
static bool append(char path[LAC_MODEL_PATH_SIZE], const char *name, const char *ending)
{
    size_t length = strlen(path), n = strlen(name), e = strlen(ending);
    if (n >= LAC_MODEL_PATH_SIZE - length || e >= LAC_MODEL_PATH_SIZE - length - n)
        return false;
    memcpy(path + length, name, n);
    memcpy(path + length + n, ending, e + 1);
    return true;
}

/* The file that `name` means. */
static int find_named(char path[LAC_MODEL_PATH_SIZE], const char *name, const char *ending)
{
    *path = 0;
    if (strchr(name, '/') != NULL || exists(name))
        return append(path, name, "") ? LAC_OK : LAC_ERROR_NOT_FOUND;
    for (directories d = list_directories(); next_directory(&d, path);)
        if (append(path, name, ending) && exists(path))
            return LAC_OK;
    return LAC_ERROR_NOT_FOUND;
}

int lac_model_bytes_open(lac_model_bytes *bytes, const char *name, const char *ending,
                         const lac_embedded_model *embedded)
{
    if (name == NULL || *name == 0)
        name = embedded->name != NULL ? embedded->name : LAC_MODEL_DEFAULT;
    for (const lac_embedded_model *e = embedded; e->name != NULL; e++)
        if (strcmp(e->name, name) == 0)
            return lac_model_bytes_take(bytes, e->begin, (size_t)(e->end - e->begin));
    char path[LAC_MODEL_PATH_SIZE];
    int status = find_named(path, name, ending);
    return status == LAC_OK ? lac_model_bytes_read(bytes, path) : status;
}

/* path, a directory, gets the name of the file in it behind it. */
static bool find_in(char path[LAC_MODEL_PATH_SIZE], const char *ending,
                    bool (*fits)(const char *path, const void *user), const void *user)
{
    size_t length = strlen(path), e = strlen(ending);
    bool found = false;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(directory)) != NULL;) {
        size_t n = strlen(entry->d_name);
        path[length] = 0;
        found = n > e && strcmp(entry->d_name + n - e, ending) == 0 && append(path, entry->d_name, "") &&
                fits(path, user);
    }
    closedir(directory);
    return found;
}

int lac_model_find(char path[LAC_MODEL_PATH_SIZE], const char *ending,
                   bool (*fits)(const char *path, const void *user), const void *user)
{
    for (directories d = list_directories(); next_directory(&d, path);)
        if (find_in(path, ending, fits, user))
            return LAC_OK;
    return LAC_ERROR_NOT_FOUND;
}
