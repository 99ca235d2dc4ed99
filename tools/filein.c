#include "filein.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

int lac_file_in_open(lac_file_in *file, const char *path)
{
    struct stat st;

    memset(file, 0, offsetof(lac_file_in, buffer));
    file->name = lac_report_name(path, 0);
    file->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &st))
        return lac_report(file->name, "%s", strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        lac_file_in_close(file);
        return lac_report(file->name, "%s", strerror(EISDIR));
    }
    file->base = S_ISREG(st.st_mode) ? lseek(file->fd, 0, SEEK_CUR) : -1;
    return 0;
}

/* What has arrived, so that a live pipe is decoded as it comes. */
static int64_t file_read(void *user, void *data, size_t size)
{
    lac_file_in *file = user;
    size_t count;

    if (file->start == file->end) {
        ssize_t got;

        do
            got = read(file->fd, file->buffer, sizeof file->buffer);
        while (got < 0 && errno == EINTR);
        if (got < 0) {
            file->error = errno;
            return -1;
        }
        file->start = 0;
        file->end = (size_t)got;
    }
    count = file->end - file->start < size ? file->end - file->start : size;
    memcpy(data, file->buffer + file->start, count);
    file->start += count;
    return (int64_t)count;
}

static int file_seek(void *user, uint64_t position)
{
    lac_file_in *file = user;

    file->start = file->end = 0;
    if (position > (uint64_t)(INT64_MAX - file->base))
        return -1;
    return lseek(file->fd, (off_t)(file->base + (int64_t)position), SEEK_SET) < 0 ? -1 : 0;
}

static int64_t file_size(void *user)
{
    lac_file_in *file = user;
    struct stat st;

    return fstat(file->fd, &st) ? -1 : (int64_t)st.st_size - file->base;
}

static lac_io file_io(lac_file_in *file)
{
    lac_io io = {file, file_read, NULL, file_seek, file_size};

    if (file->base < 0) {
        io.seek = NULL;
        io.size = NULL;
    }
    return io;
}

static int is_model(const lac_file_in *file, const char *path)
{
    lac_model *model = NULL;
    int status = file->base < 0 ? LAC_ERROR_FORMAT : lac_model_open_file(&model, path);

    lac_model_close(&model);
    return status == LAC_OK;
}

int lac_file_in_reader(lac_file_in *file, const char *path, lac_reader **reader)
{
    lac_io io = file_io(file);
    int status = lac_reader_open(reader, &io);

    if (!status)
        return 0;
    if (status == LAC_ERROR_FORMAT)
        return lac_report(file->name, is_model(file, path) ? "is a model, not a .lac file" : "is not a .lac file");
    return lac_report_status(file->name, status, file->error);
}

static bool starts_with(const char *path, const char *ending, const char *magic)
{
    const char *dot = strrchr(path, '.');
    char first[4] = {0};
    struct stat st;

    if (dot && strcmp(dot, ending) == 0)
        return true;
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO
             : stat(path, &st) == 0 && S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    off_t at = fd < 0 ? -1 : lseek(fd, 0, SEEK_CUR);
    bool found =
        at >= 0 && pread(fd, first, strlen(magic), at) == (ssize_t)strlen(magic) && strcmp(first, magic) == 0;
    if (fd > STDIN_FILENO)
        close(fd);
    return found;
}

bool lac_file_in_is_lac(const char *path)
{
    return starts_with(path, ".lac", "LAC");
}

bool lac_file_in_is_npz(const char *path)
{
    return starts_with(path, ".npz", "PK");
}

void lac_file_in_close(lac_file_in *file)
{
    if (file->fd > STDIN_FILENO)
        close(file->fd);
    file->fd = -1;
}

int lac_file_in_whole(lac_token_bytes *bytes, FILE *file, const char *name)
{
    uint8_t block[65536];
    size_t got;

    while ((got = fread(block, 1, sizeof block, file)) > 0) {
        lac_token_bytes_add(bytes, block, got);
        if (bytes->failed || bytes->size > LAC_FILE_IN_WHOLE)
            return lac_report(name, bytes->failed ? "out of memory" : "is larger than 1 GB");
    }
    return ferror(file) ? lac_report(name, "%s", strerror(errno)) : 0;
}
