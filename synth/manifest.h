/* A manifest: one line of JSON a recording (doc/synthesis-data.md). Kept are the places of the lines; a row is read
 * when it is needed. Immutable once open, for any number of threads. */
#ifndef LAC_SYNTH_MANIFEST_H
#define LAC_SYNTH_MANIFEST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAC_MANIFEST_REASON   600
#define LAC_MANIFEST_MAX_ROWS UINT32_C(100000000)
#define LAC_MANIFEST_NUMBER   40 /* bytes of a number or a word as text */

typedef struct lac_manifest {
    char *name;       /* of the file, for messages */
    char *folder;     /* that paths are relative to, with its slash; "" */
    int file;         /* descriptor */
    uint64_t *offset; /* [rows + 1] */
    uint32_t *line;   /* [rows], from 1 */
    uint32_t rows;
    uint32_t capacity;
    uint8_t hash[32]; /* SHA-256 of the file */
} lac_manifest;

/* Texts are NULL where the row has none; all live as long as the row. */
typedef struct lac_manifest_row {
    cJSON *json;
    const char *path; /* as it stands there: `path`, or NeMo's `audio_filepath` */
    const char *speaker, *text, *lang, *licence;
    double seconds; /* `seconds` or `duration`; negative: not told */
    char speaker_number[LAC_MANIFEST_NUMBER];
} lac_manifest_row;

/* 0, or -1 with a reason: unreadable, no rows. To be closed in either case. reason [LAC_MANIFEST_REASON] */
int lac_manifest_open(lac_manifest *manifest, const char *path, char *reason);

/* Harmless on a zeroed struct. */
void lac_manifest_close(lac_manifest *manifest);

/* 0, or -1 with a reason that names the line and nothing to free. */
int lac_manifest_read(const lac_manifest *manifest, uint32_t index, lac_manifest_row *row, char *reason);

/* The same of a line's bytes. */
int lac_manifest_parse(lac_manifest_row *row, const char *text, size_t size, char *reason);

/* Bytes of the character of UTF-8 (RFC 3629) at `text`, of which `size` (not 0) are there; 0: there is none. */
size_t lac_manifest_character(const unsigned char *text, size_t size);

void lac_manifest_row_free(lac_manifest_row *row);

/* Where a path of the manifest leads; to be freed. NULL if out of memory. */
char *lac_manifest_path(const lac_manifest *manifest, const char *path);

/* A field as text: "" if there is none or it is no text, number or truth value. number [LAC_MANIFEST_NUMBER] is for
 * those that are not text. */
const char *lac_manifest_field(const lac_manifest_row *row, const char *field, char *number);

/* What a field says of consent: 1 yes (true, "yes", 1), -1 nothing (not there, null), 0 anything else. */
int lac_manifest_consent(const lac_manifest_row *row, const char *field);

#endif
