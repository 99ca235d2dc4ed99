/* Vocabulary files (doc/tokens.md), and what they do to the tokens of a file. */
#ifndef LAC_TOOLS_VOCABULARY_H
#define LAC_TOOLS_VOCABULARY_H

#include "bpe.h"
#include "tokenset.h"

typedef struct lac_vocabulary {
    char model[LAC_MODEL_NAME_SIZE];
    uint8_t model_id[LAC_MODEL_ID_SIZE];
    uint32_t codebook;   /* 0 is the first */
    uint32_t codewords;  /* K */
    lac_bpe_merge *merges;
    uint32_t count;
    uint64_t id;         /* by all of the above but the name */
    lac_bpe *bpe;
} lac_vocabulary;

/* From its members up to `count`: sets id and bpe. A status of lac/status.h. */
int lac_vocabulary_finish(lac_vocabulary *v);

void lac_vocabulary_write(lac_token_bytes *out, const lac_vocabulary *v);

/* The whole file: 0, or -1 with a reason; to be freed in either case. */
int lac_vocabulary_parse(lac_vocabulary *v, const uint8_t *data, size_t size, char *reason);

void lac_vocabulary_free(lac_vocabulary *v);

/* The tokens of its codebook in a channel, K where a frame has none. out [frames] */
void lac_vocabulary_sequence(const lac_vocabulary *v, const lac_token_set *s, uint32_t channel, uint32_t *out);

/* Take the tokens of the codebook out of the rows and put symbols in their place; and back. 0, or -1 with a
 * reason. */
int lac_vocabulary_apply(const lac_vocabulary *v, lac_token_set *s, char *reason);
int lac_vocabulary_invert(const lac_vocabulary *v, lac_token_set *s, char *reason);

#endif
