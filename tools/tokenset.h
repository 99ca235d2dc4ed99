/* The tokens of one file in memory, between a .lac file and the formats of `lac tokens` (doc/tokens.md).
 *
 * Parsers and writers work on bytes in memory only; a parser bounds every read and what it allocates by what it was
 * given. */
#ifndef LAC_TOOLS_TOKENSET_H
#define LAC_TOOLS_TOKENSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"
#include "lac/stream.h"

#define LAC_TOKENS_MAX_FRAMES (UINT64_C(1) << 26) /* 372 hours at 50 a second */
#define LAC_TOKENS_MAX_COUNT (UINT64_C(1) << 28)  /* of all channels and codebooks */
#define LAC_TOKENS_PAD 65535                      /* in .npy: this frame has fewer codebooks */
#define LAC_TOKENS_REASON 160

typedef struct lac_token_set {
    char model[LAC_MODEL_NAME_SIZE];      /* "": not known */
    uint8_t model_id[LAC_MODEL_ID_SIZE];  /* zeros: not known; a .lac file tells the first 8 bytes */
    uint32_t rate;            /* Hz of the audio, 0: not known */
    double frame_rate;        /* frames a second; 0: not known */
    uint64_t samples;         /* a channel, at `rate`; UINT64_MAX: not known */
    uint32_t channels;        /* 1 .. LAC_MAX_CHANNELS */
    uint32_t codebooks;       /* room in a row, 0 .. LAC_MAX_CODEBOOKS */
    uint32_t token_bits;      /* 1 .. 16; 0: not known */
    uint64_t frames;
    uint8_t *counts;          /* [frames]: how many of a row count, the same in all channels */
    uint16_t *tokens;         /* [frames][channels][codebooks], zero where they don't */
    uint64_t capacity;        /* frames that there is room for */

    /* With a byte-pair vocabulary the tokens of one codebook are not in the rows, but here. */
    uint64_t vocabulary;      /* id; 0: none */
    uint32_t vocabulary_size;
    uint32_t symbol_codebook; /* 0 is the first */
    uint32_t *symbols;        /* those of channel 0, then of channel 1, ... */
    uint64_t symbol_count[LAC_MAX_CHANNELS];
} lac_token_set;

/* Bytes that grow; `failed` once memory ran out. */
typedef struct lac_token_bytes {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
} lac_token_bytes;

void lac_token_bytes_add(lac_token_bytes *b, const void *data, size_t size);
void lac_token_bytes_print(lac_token_bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lac_token_bytes_free(lac_token_bytes *b);

/* An empty set of that shape, nothing known of it. */
void lac_token_set_init(lac_token_set *s, uint32_t channels, uint32_t codebooks);

/* Append a frame: rows [channels][codebooks], whose first `count` are taken. -1, with a reason, if memory runs out
 * or a limit is reached. reason [LAC_TOKENS_REASON] */
int lac_token_set_append(lac_token_set *s, const uint16_t *rows, uint32_t count, char *reason);

/* Most codebooks of a frame, the missing one of the symbols not counted. */
uint32_t lac_token_set_width(const lac_token_set *s);

uint64_t lac_token_set_symbols(const lac_token_set *s);

/* Harmless on a zeroed struct. */
void lac_token_set_free(lac_token_set *s);

/* Writes a reason and returns -1. */
int lac_token_reason(char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A model's id in hexadecimal, text [2 * LAC_MODEL_ID_SIZE + 1]. Returns text. */
const char *lac_token_id_text(const uint8_t *id, char *text);

/* The reverse, 8 bytes or more; the rest is zero. false if it is none. */
bool lac_token_id_parse(uint8_t *id, const char *text);

/* NumPy 1.0, packed binary, one line of JSON. Parsers: 0, or -1 with a reason; the set is to be freed in
 * either case. They take the whole file, JSON one line. */
void lac_npy_write(lac_token_bytes *out, const lac_token_set *s);
int lac_npy_parse(lac_token_set *s, const uint8_t *data, size_t size, char *reason);
void lac_tokenbin_write(lac_token_bytes *out, const lac_token_set *s);
int lac_tokenbin_parse(lac_token_set *s, const uint8_t *data, size_t size, char *reason);
void lac_tokenjson_write(lac_token_bytes *out, const lac_token_set *s, const char *path);
/* *path: what the line says, to be freed; NULL if nothing. */
int lac_tokenjson_parse(lac_token_set *s, const char *text, size_t size, char **path, char *reason);

#endif
