#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "bytes.h"

#define LONGEST_LINE    (UINT64_C(1) << 20)
#define LONGEST_SPEAKER 255
#define MOST_EXACT      9007199254740991.0 /* above, whole numbers become others */

static int fail(char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(char *reason, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason, LAC_MANIFEST_REASON, format, args);
    va_end(args);
    return -1;
}

/* ---- where the lines are ---- */

static int add_line(lac_manifest *m, uint64_t start, uint32_t line, char *reason)
{
    if (m->rows == m->capacity) {
        uint32_t room = m->capacity ? m->capacity * 2 : 1024;
        uint64_t *offset = room <= LAC_MANIFEST_MAX_ROWS ? realloc(m->offset, (room + 1) * sizeof *offset) : NULL;

        m->offset = offset ? offset : m->offset;
        uint32_t *lines = offset ? realloc(m->line, room * sizeof *lines) : NULL;
        m->line = lines ? lines : m->line;
        if (!lines)
            return fail(reason, "%s: more rows than there is room for", m->name);
        m->capacity = room;
    }
    m->offset[m->rows] = start;
    m->line[m->rows++] = line;
    return 0;
}

typedef struct scanner {
    uint64_t at, start; /* of the file, and where the line began */
    uint32_t line;
    bool blank; /* nothing but spaces so far */
} scanner;

static int scan_block(lac_manifest *m, scanner *s, const uint8_t *block, size_t size, char *reason)
{
    int failed = 0;

    for (size_t i = 0; i < size && !failed; i++, s->at++) {
        if (block[i] != '\n') {
            s->blank = s->blank && (block[i] == ' ' || block[i] == '\t' || block[i] == '\r');
            continue;
        }
        if (!s->blank)
            failed = add_line(m, s->start, s->line, reason);
        s->start = s->at + 1;
        s->line++;
        s->blank = true;
    }
    return failed;
}

static int scan(lac_manifest *m, char *reason)
{
    scanner s = {.line = 1, .blank = true};
    size_t room = 1 << 16;
    uint8_t *block = malloc(room);
    int failed = block ? 0 : fail(reason, "%s: out of memory", m->name);
    lac_sha256 sum;

    lac_sha256_init(&sum);
    while (!failed) {
        ssize_t got = read(m->file, block, room);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            failed = fail(reason, "%s: %s", m->name, strerror(errno));
        if (got <= 0)
            break;
        lac_sha256_update(&sum, block, (size_t)got);
        failed = scan_block(m, &s, block, (size_t)got, reason);
    }
    free(block);
    lac_sha256_final(&sum, m->hash);
    if (!failed && !s.blank)
        failed = add_line(m, s.start, s.line, reason);
    if (!failed && m->rows == 0)
        failed = fail(reason, "%s: has no rows", m->name);
    if (!failed)
        m->offset[m->rows] = s.at;
    return failed;
}

int lac_manifest_open(lac_manifest *m, const char *path, char *reason)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;

    *m = (lac_manifest){.file = -1, .name = strdup(path), .folder = calloc(folder + 1, 1)};
    if (!m->name || !m->folder)
        return fail(reason, "out of memory");
    memcpy(m->folder, path, folder);
    m->file = open(path, O_RDONLY | O_CLOEXEC);
    if (m->file < 0)
        return fail(reason, "%s: %s", path, strerror(errno));
    return scan(m, reason);
}

void lac_manifest_close(lac_manifest *m)
{
    if (m->name && m->file >= 0)
        close(m->file);
    free(m->name);
    free(m->folder);
    free(m->offset);
    free(m->line);
    *m = (lac_manifest){.file = -1};
}

/* ---- rows ---- */

static const char *text_of(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsString(item) && *item->valuestring ? item->valuestring : NULL;
}

static const char *either(const cJSON *json, const char *a, const char *b)
{
    const char *text = text_of(json, a);

    return text ? text : text_of(json, b);
}

static double seconds_of(const cJSON *json)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "seconds");

    if (!cJSON_IsNumber(item))
        item = cJSON_GetObjectItemCaseSensitive(json, "duration");
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e9 ? item->valuedouble : -1;
}

size_t lac_manifest_character(const unsigned char *text, size_t size)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    size_t more = *text < 0x80 ? 0 : *text >= 0xf0 ? 3 : *text >= 0xe0 ? 2 : 1;
    uint32_t value = more ? *text & (0x3fu >> more) : *text;

    if (more >= size || (*text >= 0x80 && *text < 0xc2) || *text > 0xf4)
        return 0;
    for (size_t i = 1; i <= more; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3f);
    }
    return value < least[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0 : more + 1;
}

/* What is made of a row must be text for whoever reads it. */
static bool is_utf8(const char *text, size_t size)
{
    size_t length = 1;

    for (size_t i = 0; i < size && length > 0; i += length)
        length = lac_manifest_character((const unsigned char *)text + i, size - i);
    return length > 0;
}

/* Who never is to be used must not slip through as nobody, or under another's number. */
static int take_speaker(lac_manifest_row *row, char *reason)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row->json, "speaker");
    const char *speaker = lac_manifest_field(row, "speaker", row->speaker_number);

    if (cJSON_IsArray(item) || cJSON_IsObject(item))
        return fail(reason, "speaker is neither text nor number");
    if (cJSON_IsNumber(item) && !(fabs(item->valuedouble) <= MOST_EXACT))
        return fail(reason, "speaker is too large a number: write it as text");
    if (strlen(speaker) > LONGEST_SPEAKER)
        return fail(reason, "speaker has more than %d bytes", LONGEST_SPEAKER);
    row->speaker = *speaker ? speaker : NULL;
    return 0;
}

int lac_manifest_parse(lac_manifest_row *row, const char *text, size_t size, char *reason)
{
    const char *rest = NULL;

    *row = (lac_manifest_row){0};
    if (!is_utf8(text, size))
        return fail(reason, "is not UTF-8");
    row->json = cJSON_ParseWithLengthOpts(text, size, &rest, 0);
    if (!cJSON_IsObject(row->json)) {
        lac_manifest_row_free(row);
        return fail(reason, "is not a JSON object");
    }
    while (rest < text + size && strchr(" \t\r\n", *rest) && *rest)
        rest++;
    if (rest < text + size) { /* joined files, the first without its last newline */
        lac_manifest_row_free(row);
        return fail(reason, "has more behind its JSON object");
    }
    row->path = either(row->json, "path", "audio_filepath");
    if (!row->path) {
        lac_manifest_row_free(row);
        return fail(reason, "has no path");
    }
    if (take_speaker(row, reason)) {
        lac_manifest_row_free(row);
        return -1;
    }
    row->text = text_of(row->json, "text");
    row->lang = text_of(row->json, "lang");
    row->licence = either(row->json, "licence", "license");
    row->seconds = seconds_of(row->json);
    return 0;
}

void lac_manifest_row_free(lac_manifest_row *row)
{
    cJSON_Delete(row->json);
    *row = (lac_manifest_row){0};
}

static int read_at(const lac_manifest *m, char *text, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t got = pread(m->file, text, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        text += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

int lac_manifest_read(const lac_manifest *m, uint32_t index, lac_manifest_row *row, char *reason)
{
    char why[LAC_MANIFEST_REASON];
    uint64_t size = m->offset[index + 1] - m->offset[index];
    char *text = size <= LONGEST_LINE ? malloc((size_t)size + 1) : NULL;
    int failed;

    if (!text)
        return fail(reason, "%s:%u: %s", m->name, m->line[index],
                    size <= LONGEST_LINE ? "out of memory" : "is longer than 1 MB");
    text[size] = 0;
    failed = read_at(m, text, (size_t)size, m->offset[index]) ? fail(why, "can't be read any more")
                                                              : lac_manifest_parse(row, text, (size_t)size, why);
    free(text);
    return failed ? fail(reason, "%s:%u: %s", m->name, m->line[index], why) : 0;
}

/* ---- fields ---- */

char *lac_manifest_path(const lac_manifest *m, const char *path)
{
    const char *folder = *path == '/' ? "" : m->folder;
    size_t size = strlen(folder) + strlen(path) + 1;
    char *joined = malloc(size);

    if (joined)
        snprintf(joined, size, "%s%s", folder, path);
    return joined;
}

/* 0.1 is no 0.10000000000000001. */
static void print_number(char *number, double value)
{
    snprintf(number, LAC_MANIFEST_NUMBER, "%.15g", value);
    if (value == floor(value) || strtod(number, NULL) != value)
        snprintf(number, LAC_MANIFEST_NUMBER, "%.17g", value);
}

const char *lac_manifest_field(const lac_manifest_row *row, const char *field, char *number)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row->json, field);

    if (cJSON_IsString(item))
        return item->valuestring;
    *number = 0;
    if (cJSON_IsNumber(item))
        print_number(number, item->valuedouble);
    else if (cJSON_IsBool(item))
        snprintf(number, LAC_MANIFEST_NUMBER, "%s", cJSON_IsTrue(item) ? "true" : "false");
    return number;
}

int lac_manifest_consent(const lac_manifest_row *row, const char *field)
{
    static const char *const yes[] = {"true", "yes", "1"};
    char number[LAC_MANIFEST_NUMBER];
    const char *text = lac_manifest_field(row, field, number);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row->json, field);

    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (strcasecmp(text, yes[i]) == 0)
            return 1;
    return item && !cJSON_IsNull(item) ? 0 : -1;
}
