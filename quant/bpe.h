/* Byte-pair vocabularies over tokens: the pair of neighbouring symbols that is most frequent becomes a symbol of
 * its own, again and again (Sennrich et al., arXiv 1508.07909; over codes of speech: BASE TTS, arXiv 2402.08093).
 *
 * Symbols of a vocabulary over K codewords: 0 .. K - 1 are the tokens; K is a gap, which stands for a frame without
 * a token and is never merged; K + 1 + i is merge i. A symbol stands for LAC_BPE_MAX_LENGTH tokens at most, so that
 * what few symbols expand to is bounded.
 *
 * It is no part of liblac, and allocates from the C library. A vocabulary is immutable once open and may be shared
 * by any number of threads. */
#ifndef LAC_QUANT_BPE_H
#define LAC_QUANT_BPE_H

#include <stddef.h>
#include <stdint.h>

#define LAC_BPE_MAX_LENGTH 1024
#define LAC_BPE_MAX_CODEWORDS 65535u
#define LAC_BPE_MAX_MERGES (1u << 20)
#define LAC_BPE_MAX_SYMBOLS (1u << 28) /* of a sequence */

/* Two symbols, each a token or an earlier merge. */
typedef struct lac_bpe_merge {
    uint32_t left, right;
} lac_bpe_merge;

typedef struct lac_bpe lac_bpe;

/* Learn up to *count merges from a sequence; *count becomes how many there are: fewer if no pair occurs twice.
 *   symbols  [n], each at most K; gaps keep apart what does not belong together. Not changed
 *   merges   [*count]
 * In each step the pair with most places in the sequence is merged, from left to right; of equally frequent ones,
 * that with the lowest left, then right symbol. Places may overlap, in a run of one symbol. O(n log n) time; 24
 * bytes for each of n, 40 for each pair that comes up, of which there are fewer than 3 n. 0, LAC_ERROR_ARGUMENT,
 * LAC_ERROR_MEMORY. */
int lac_bpe_train(lac_bpe_merge *merges, uint32_t *count, uint32_t codewords, const uint32_t *symbols, size_t n);

/* A vocabulary of these merges, which are copied. LAC_ERROR_FORMAT if one can't be: it names a gap or a symbol that
 * is not there yet, occurs twice, or stands for too much. */
int lac_bpe_open(lac_bpe **bpe, uint32_t codewords, const lac_bpe_merge *merges, uint32_t count);

/* Close and set *bpe to NULL; NULL and pointers to NULL are accepted. */
void lac_bpe_close(lac_bpe **bpe);

/* Symbols in all: K + 1 and the merges. */
uint32_t lac_bpe_size(const lac_bpe *bpe);

/* Tokens that a symbol below lac_bpe_size stands for; a gap counts as one. */
uint32_t lac_bpe_length(const lac_bpe *bpe, uint32_t symbol);

/* Apply the merges in their order, each from left to right, to symbols[*n] in place: *n becomes less. Each must be
 * at most K, else LAC_ERROR_ARGUMENT. O(n log n). 0 or LAC_ERROR_MEMORY. */
int lac_bpe_apply(const lac_bpe *bpe, uint32_t *symbols, size_t *n);

/* The inverse: what symbols[n] stand for to tokens[capacity]; *count is how many. LAC_ERROR_ARGUMENT, with anything
 * in tokens, if a symbol is none of the vocabulary; LAC_ERROR_SPACE. */
int lac_bpe_expand(const lac_bpe *bpe, const uint32_t *symbols, size_t n, uint32_t *tokens, size_t capacity,
                   size_t *count);

#endif
