/* The factors of one file in memory, between an analyser and the files and tables of `lac factors`
 * (doc/factors.md).
 *
 * What writes and parses works on bytes in memory only; the parser bounds every read and what it allocates by what
 * it was given. 3 hours take 8.6 MB. */
#ifndef LAC_TOOLS_FACTORSET_H
#define LAC_TOOLS_FACTORSET_H

#include <stddef.h>
#include <stdint.h>

#include "lac/factors.h"
#include "tokenset.h"

#define LAC_FACTOR_MAX_FRAMES (UINT64_C(1) << 24) /* 93 hours */
#define LAC_FACTOR_MAX_RATE 768000                /* Hz */
#define LAC_FACTOR_MAX_FILE ((size_t)1 << 30)     /* bytes of a file of factors */

/* How latents came out of the file. */
enum lac_factor_way {
    LAC_FACTORS_OF_AUDIO,
    LAC_FACTORS_OF_TOKENS,
    LAC_FACTORS_OF_DECODED,
    LAC_FACTORS_RECOMBINED /* of nothing that was said: lac recombine */
};

typedef struct lac_factor_set {
    lac_factor_info model;      /* of a file of factors only id, latent_id, name and content_stride */
    const char *const *phones;  /* [model.phones], symbols, borrowed; NULL: not known */
    enum lac_factor_way way;
    uint32_t rate;              /* Hz of the sound before any conversion; 0: not known */
    uint32_t channels;          /* of it, and which one: 1 is the first, 0 all, mixed down */
    uint32_t channel;
    double duration_s;
    lac_factors factors;
    lac_factor_frame *frames;   /* [factors.frames] */
    uint64_t count, capacity;
} lac_factor_set;

/* A float or an array of them in lac_factors or in a frame, and what it may be. */
typedef struct lac_factor_field {
    const char *name;
    size_t offset;
    unsigned count;   /* of an array; 0: one value */
    float low, high;
} lac_factor_field;

#define LAC_FACTOR_FIELDS 11
#define LAC_FACTOR_FRAME_FIELDS 3
extern const lac_factor_field lac_factor_fields[LAC_FACTOR_FIELDS];             /* of lac_factors */
extern const lac_factor_field lac_factor_frame_fields[LAC_FACTOR_FRAME_FIELDS]; /* of lac_factor_frame */

/* Value `index` of a field of *of. */
float lac_factor_field_get(const lac_factor_field *field, const void *of, unsigned index);
void lac_factor_field_set(const lac_factor_field *field, void *of, unsigned index, float value);

/* Append frames: 0, or -1 with a reason if memory runs out or there are too many. reason [LAC_TOKENS_REASON] */
int lac_factor_set_append(lac_factor_set *s, const lac_factor_frame *frames, size_t count, char *reason);

/* Harmless on a zeroed struct. */
void lac_factor_set_free(lac_factor_set *s);

/* Content tokens: one for each model.content_stride frames, the last perhaps for fewer. */
uint64_t lac_factor_set_tokens(const lac_factor_set *s);

/* The frame that tells token `index` and its phone. */
const lac_factor_frame *lac_factor_set_token(const lac_factor_set *s, uint64_t index);

/* Token `index` begins a phone: its class is not blank and not that of the token before. */
bool lac_factor_set_begins(const lac_factor_set *s, uint64_t index);

/* The phones as text, with a terminating zero: repetitions and blanks left out. Needs `phones`. */
void lac_factor_set_spell(lac_token_bytes *out, const lac_factor_set *s);

const char *lac_factor_way_name(enum lac_factor_way way);
const char *lac_factor_codec_name(unsigned codec);

/* The most likely of factors.codec. */
unsigned lac_factor_set_codec(const lac_factor_set *s);

/* A zip file of arrays (numpy.load). -1 with a reason: out of memory. */
int lac_factor_npz_write(lac_token_bytes *out, const lac_factor_set *s, char *reason);

/* All of such a file: 0, or -1 with a reason; the set is to be freed in either case. Whether tokens and phones are
 * those of a model is not checked. */
int lac_factor_npz_parse(lac_factor_set *s, const uint8_t *data, size_t size, char *reason);

/* One line of JSON with all that the arrays hold. */
void lac_factor_json_write(lac_token_bytes *out, const lac_factor_set *s, const char *path);

#endif
