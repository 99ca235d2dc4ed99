/* The state of a fit as bytes: doc/fitting.md has the layout. */
#include <string.h>

#include "bytes.h"
#include "fitstate.h"

#define VERSION 1
#define HEAD_BYTES 112
#define CRC_AT 108
#define CHUNK 4096 /* bytes */
#define MAX_COUNT (INT64_C(1) << 33) /* of moving averages */
#define MAX_SUM (INT64_C(1) << 45)
#define MAX_SEEN (UINT64_C(1) << 62)
#define MAX_THRESHOLD INT32_MAX
#define LEVELS_AT 96

/* Settings in file order, after which the seed comes. */
#define SETTINGS(X)                                                                                            \
    X(stages) X(codewords) X(dimension) X(method) X(iterations) X(spread) X(refinements) X(beam) X(layered)   \
    X(prior) X(batch) X(decay) X(rows)

/* Bytes on their way, with the CRC of those gone. The first failure sticks. */
typedef struct stream {
    const lac_io *io;
    uint32_t crc;
    int status;
    uint8_t bytes[CHUNK];
} stream;

static void put(stream *s, size_t size)
{
    if (s->status)
        return;
    s->crc = lac_crc32c(s->crc, s->bytes, size);
    if (s->io->write(s->io->user, s->bytes, size) != 0)
        s->status = LAC_ERROR_IO;
}

static void get(stream *s, size_t size)
{
    for (size_t at = 0; at < size && !s->status;) {
        int64_t n = s->io->read(s->io->user, s->bytes + at, size - at);
        if (n < 0)
            s->status = LAC_ERROR_IO;
        else if (n == 0)
            s->status = LAC_ERROR_TRUNCATED;
        else
            at += (size_t)n;
    }
    if (s->status)
        memset(s->bytes, 0, size);
    s->crc = lac_crc32c(s->crc, s->bytes, size);
}

/* Values [count] of `width` bytes, 2, 4 or 8, out or in. */
static void put_values(stream *s, const void *values, size_t count, size_t width)
{
    const int16_t *narrow = values;
    const int32_t *middle = values;
    const int64_t *wide = values;
    for (size_t at = 0, n; at < count; at += n) {
        n = count - at < CHUNK / width ? count - at : CHUNK / width;
        for (size_t i = 0; i < n; i++)
            if (width == 2)
                lac_store16(s->bytes + 2 * i, (uint16_t)narrow[at + i]);
            else if (width == 4)
                lac_store32(s->bytes + 4 * i, (uint32_t)middle[at + i]);
            else
                lac_store64(s->bytes + 8 * i, (uint64_t)wide[at + i]);
        put(s, n * width);
    }
}

/* Each within -limit .. limit. */
static void get_values(stream *s, void *values, size_t count, size_t width, int64_t limit)
{
    int16_t *narrow = values;
    int32_t *middle = values;
    int64_t *wide = values;
    for (size_t at = 0, n; at < count && !s->status; at += n) {
        n = count - at < CHUNK / width ? count - at : CHUNK / width;
        get(s, n * width);
        for (size_t i = 0; i < n && !s->status; i++) {
            int64_t v = width == 2   ? (int16_t)lac_load16(s->bytes + 2 * i)
                        : width == 4 ? (int32_t)lac_load32(s->bytes + 4 * i)
                                     : (int64_t)lac_load64(s->bytes + 8 * i);
            if (v < -limit || v > limit)
                s->status = LAC_ERROR_FORMAT;
            else if (width == 2)
                narrow[at + i] = (int16_t)v;
            else if (width == 4)
                middle[at + i] = (int32_t)v;
            else
                wide[at + i] = v;
        }
    }
}

static void store_head(const lac_fit *f, uint8_t *head)
{
    memset(head, 0, HEAD_BYTES);
    memcpy(head, "LACF", 4);
    lac_store32(head + 4, VERSION);
    uint8_t *p = head + 8;
#define STORE(field) lac_store32(p, f->settings.field), p += 4;
    SETTINGS(STORE)
#undef STORE
    lac_store64(p, f->settings.seed);
    lac_store64(p + 8, f->kmeans.random);
    lac_store64(p + 16, f->seen);
    lac_store32(p + 24, f->kept);
    lac_store32(p + 28, f->done);
    lac_store32(p + 32, f->warm);
    memcpy(head + LEVELS_AT, f->settings.levels, sizeof f->settings.levels);
    lac_store32(head + CRC_AT, lac_crc32c(0, head, CRC_AT));
}

/* Of stages with moving averages. */
static size_t averages_of(const lac_fit *f)
{
    return f->fsq.dimensions ? 0 : f->settings.codewords;
}

static size_t thresholds_of(const lac_fit *f)
{
    return (size_t)f->settings.stages * f->fsq.dimensions * f->slots;
}

int lac_fit_save(const lac_fit *fit, const lac_io *io)
{
    if (!fit || !io || !io->write)
        return LAC_ERROR_ARGUMENT;
    size_t K = averages_of(fit), D = fit->settings.dimension, values = lac_fit_values(&fit->settings);
    stream s = {.io = io};
    store_head(fit, s.bytes);
    put(&s, HEAD_BYTES);
    put_values(&s, fit->z, fit->kept * D, 2);
    put_values(&s, fit->codes, values, 2);
    put_values(&s, fit->start, fit->warm ? values : 0, 2);
    put_values(&s, fit->thresholds, thresholds_of(fit), 4);
    put_values(&s, fit->counts, K, 8);
    put_values(&s, fit->sums, K * D, 8);
    lac_store32(s.bytes, s.crc);
    put(&s, 4);
    return s.status;
}

static int load_head(lac_fit *draft, const uint8_t *head)
{
    if (memcmp(head, "LACF", 4) != 0 || lac_load32(head + 4) == 0)
        return LAC_ERROR_FORMAT;
    if (lac_load32(head + 4) > VERSION)
        return LAC_ERROR_VERSION;
    if (lac_load32(head + CRC_AT) != lac_crc32c(0, head, CRC_AT))
        return LAC_ERROR_CHECKSUM;
    const uint8_t *p = head + 8;
#define LOAD(field) draft->settings.field = lac_load32(p), p += 4;
    SETTINGS(LOAD)
#undef LOAD
    memcpy(draft->settings.levels, head + LEVELS_AT, sizeof draft->settings.levels);
    draft->settings.seed = lac_load64(p);
    draft->kmeans.random = lac_load64(p + 8);
    draft->seen = lac_load64(p + 16);
    draft->kept = lac_load32(p + 24);
    draft->done = lac_load32(p + 28);
    draft->warm = lac_load32(p + 32) != 0;
    uint64_t kept = draft->seen < draft->settings.rows ? draft->seen : draft->settings.rows;
    if (!lac_fit_settings_valid(&draft->settings) || lac_load32(p + 32) > 1 || draft->kept != kept ||
        draft->seen > MAX_SEEN || draft->done > lac_fit_steps(draft))
        return LAC_ERROR_FORMAT;
    return LAC_OK;
}

static void load_values(stream *s, lac_fit *f)
{
    size_t K = averages_of(f), D = f->settings.dimension, values = lac_fit_values(&f->settings);
    get_values(s, f->z, f->kept * D, 2, LAC_FIT_MAX_VALUE);
    get_values(s, f->codes, values, 2, LAC_FIT_MAX_VALUE);
    get_values(s, f->start, f->warm ? values : 0, 2, LAC_FIT_MAX_VALUE);
    get_values(s, f->thresholds, thresholds_of(f), 4, MAX_THRESHOLD);
    get_values(s, f->counts, K, 8, MAX_COUNT);
    get_values(s, f->sums, K * D, 8, MAX_SUM);
    uint32_t crc = s->crc;
    uint8_t more;
    get(s, 4);
    if (!s->status && lac_load32(s->bytes) != crc)
        s->status = LAC_ERROR_CHECKSUM;
    if (!s->status && s->io->read(s->io->user, &more, 1) != 0)
        s->status = LAC_ERROR_FORMAT;
}

int lac_fit_load(lac_fit **fit, const lac_io *io, uint32_t threads)
{
    if (!fit || !io || !io->read || threads < 1 || threads > 256)
        return LAC_ERROR_ARGUMENT;
    stream s = {.io = io};
    lac_fit draft = {.settings.threads = threads}, *loaded;
    get(&s, HEAD_BYTES);
    int status = s.status ? s.status : load_head(&draft, s.bytes);
    if (!status)
        status = lac_fit_create(&loaded, &draft);
    if (status)
        return status;
    load_values(&s, loaded);
    if (s.status) {
        lac_fit_close(&loaded);
        return s.status;
    }
    for (uint32_t q = 0; !loaded->fsq.dimensions && q < loaded->settings.stages; q++)
        lac_kmeans_prepare(lac_fit_stage_of(loaded, q));
    *fit = loaded;
    return LAC_OK;
}
