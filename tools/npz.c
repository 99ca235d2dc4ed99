#include "npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zip.h>

#define NAME_MAX_BYTES 64
#define DOS_DATE 0x21 /* 1 January 1980, the first there is */

/* ---- writing ---- */

struct lac_npz_writer {
    zip_source_t *source; /* the archive's bytes */
    zip_t *zip;
    bool failed;
};

lac_npz_writer *lac_npz_create(void)
{
    lac_npz_writer *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->source = zip_source_buffer_create(NULL, 0, 0, NULL);
    if (w->source)
        zip_source_keep(w->source);
    w->zip = w->source ? zip_open_from_source(w->source, ZIP_CREATE | ZIP_TRUNCATE, NULL) : NULL;
    w->failed = !w->zip;
    return w;
}

void lac_npz_add(lac_npz_writer *w, const char *name, lac_token_bytes *array)
{
    zip_source_t *source =
        w->failed || array->failed ? NULL : zip_source_buffer(w->zip, array->data, array->size, 1);
    zip_int64_t index = -1;
    char member[NAME_MAX_BYTES];

    if (!source) {
        lac_token_bytes_free(array);
        w->failed = true;
        return;
    }
    memset(array, 0, sizeof *array);
    snprintf(member, sizeof member, "%s.npy", name);
    index = zip_file_add(w->zip, member, source, 0);
    if (index < 0)
        zip_source_free(source);
    if (index < 0 || zip_set_file_compression(w->zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) ||
        zip_file_set_dostime(w->zip, (zip_uint64_t)index, 0, DOS_DATE, 0))
        w->failed = true;
}

/* The bytes that a closed archive left in its source. */
static int take_bytes(zip_source_t *source, lac_token_bytes *out)
{
    uint8_t block[65536];
    zip_int64_t got;

    if (zip_source_open(source))
        return -1;
    while ((got = zip_source_read(source, block, sizeof block)) > 0)
        lac_token_bytes_add(out, block, (size_t)got);
    zip_source_close(source);
    return got < 0 || out->failed ? -1 : 0;
}

int lac_npz_finish(lac_npz_writer *w, lac_token_bytes *out, char *reason)
{
    int failed = !w || w->failed ? -1 : zip_close(w->zip);

    if (w && failed && w->zip)
        zip_discard(w->zip);
    if (!failed)
        failed = take_bytes(w->source, out);
    if (w && w->source)
        zip_source_free(w->source);
    free(w);
    return failed ? lac_token_reason(reason, "out of memory") : 0;
}

/* ---- reading ---- */

struct lac_npz_reader {
    zip_t *zip;
};

int lac_npz_open(lac_npz_reader **reader, const uint8_t *data, size_t size, char *reason)
{
    zip_source_t *source = zip_source_buffer_create(data, size, 0, NULL);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, NULL) : NULL;

    *reader = zip ? malloc(sizeof **reader) : NULL;
    if (*reader) {
        (*reader)->zip = zip;
        return 0;
    }
    if (zip)
        zip_discard(zip);
    else if (source)
        zip_source_free(source);
    return lac_token_reason(reason, zip || !source ? "out of memory" : "is not a zip file, or a damaged one");
}

static int read_member(zip_t *zip, const char *member, size_t size, lac_token_bytes *bytes, char *reason)
{
    zip_file_t *file = zip_fopen(zip, member, 0);
    uint8_t block[65536];
    zip_int64_t got = -1;

    while (file && (got = zip_fread(file, block, sizeof block)) > 0 && bytes->size <= size)
        lac_token_bytes_add(bytes, block, (size_t)got);
    if (file)
        zip_fclose(file);
    if (bytes->failed)
        return lac_token_reason(reason, "out of memory");
    return got == 0 && bytes->size == size ? 0 : lac_token_reason(reason, "%s is damaged", member);
}

int lac_npz_read(lac_npz_reader *reader, const char *name, size_t most, lac_token_bytes *bytes,
                 lac_npy_array *array, char *reason)
{
    char member[NAME_MAX_BYTES], why[LAC_TOKENS_REASON];
    zip_stat_t st;

    snprintf(member, sizeof member, "%s.npy", name);
    if (zip_stat(reader->zip, member, 0, &st))
        return lac_token_reason(reason, "holds no array '%s'", name);
    if (!(st.valid & ZIP_STAT_SIZE) || st.size > most)
        return lac_token_reason(reason, "%s is too large", member);
    if (read_member(reader->zip, member, (size_t)st.size, bytes, reason))
        return -1;
    if (lac_npy_open(array, bytes->data, bytes->size, why))
        return lac_token_reason(reason, "%s %.100s", member, why);
    return 0;
}

void lac_npz_close(lac_npz_reader *reader)
{
    if (reader)
        zip_discard(reader->zip);
    free(reader);
}
