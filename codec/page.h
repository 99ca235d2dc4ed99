/* The bytes of a .lac file: header, pages, end page. doc/bitstream.md is normative. Pure functions over bytes: nothing
 * is allocated, read or written elsewhere. Parsers bound every read and touch no byte past `size`. */
#ifndef LAC_CODEC_PAGE_H
#define LAC_CODEC_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lac/stream.h"

#define LAC_PAGE_FRAMES 64       /* latent frames of every audio page but the last */
#define LAC_PAGE_HEAD_MAX 93     /* bytes before the payload, at most */
#define LAC_PAGE_MIN 10          /* bytes of the smallest audio page */
#define LAC_PAGE_MAX 32896       /* bytes of the largest page of either kind, checksum included */
#define LAC_PAGE_MAX_PAYLOAD 32799 /* bytes that the page of an unknown coding may have */
#define LAC_PAGE_SYNC_0 0xac
#define LAC_PAGE_SYNC_1 0x1d
#define LAC_PAGE_KIND_END 63
#define LAC_PAGE_FIRST_BITS 6    /* of a list of codebooks as moves: those of the first frame, */
#define LAC_PAGE_SAME_BITS 1     /* then for each frame whether it has as many as the one before, */
#define LAC_PAGE_STEP_BITS 3     /* one more or less, */
#define LAC_PAGE_JUMP_BITS 8     /* or how many */
#define LAC_PAGE_PLAIN 0         /* codings of tokens */
#define LAC_PAGE_ADAPTIVE 1
#define LAC_PAGE_PRIOR 64        /* this one and all above: by the prior of that number, pagecoding.h */
#define LAC_PAGE_CODINGS 256
#define LAC_END_MIN 29           /* bytes of the smallest end page */
#define LAC_END_MAX_RUNS 4000
#define LAC_HEADER_FIXED 16      /* bytes of the header before tags and checksum */
#define LAC_HEADER_MIN 20
#define LAC_HEADER_MAX (LAC_HEADER_FIXED + 2 + LAC_MAX_TAG_BYTES + 4)
#define LAC_STREAM_ID_SIZE 8     /* bytes of the model id that the file carries */
#define LAC_STREAM_MAX_RATE 768000
#define LAC_STREAM_MAX_SAMPLES (UINT64_C(1) << 48)
#define LAC_STREAM_MAX_PAGES (UINT64_C(1) << 32)
#define LAC_PAGE_MAX_RECEPTIVE 63 /* R, at most, so that a page of full length has a frame R */
#define LAC_PAGE_SLACK 64        /* missing pages allowed beyond what the bytes before a page can hold */

/* What the parsers of pages need to know, and both header and end page carry. */
typedef struct lac_stream_format {
    uint8_t model_id[LAC_STREAM_ID_SIZE];
    uint32_t original_rate;
    uint32_t channels;    /* 1 .. LAC_MAX_CHANNELS */
    uint32_t token_bits;  /* 1 .. 16 */
    bool tagged;          /* the header has a tag block */
} lac_stream_format;

typedef struct lac_header {
    lac_stream_format format;
    size_t tag_offset, tag_bytes; /* the tag block: name, 0, value, 0, name, ... */
    size_t size;
} lac_header;

/* One audio page. */
typedef struct lac_page {
    uint32_t number;                       /* its first frame is number * LAC_PAGE_FRAMES */
    uint32_t frames;                       /* 1 .. LAC_PAGE_FRAMES */
    uint32_t coding;                       /* of the tokens: LAC_PAGE_PLAIN .. LAC_PAGE_CODINGS - 1 */
    uint8_t codebooks[LAC_PAGE_FRAMES];    /* tokens of each frame, a channel */
    uint16_t phase[LAC_MAX_CHANNELS];      /* upper half of the pulse phase where frame R of the page begins, R the
                                              model's receptive_frames; 0 in a page of R frames or fewer */
    uint32_t plain_bits, payload_bits;     /* bits of all tokens, plain; bits of the payload that are used */
    size_t head_size, payload_size, size;  /* bytes; size = head + payload + checksum */
    size_t list_size;                      /* bytes of the head that list each frame's codebooks, 0 without a list */
} lac_page;

/* `count` pages in a row of `size` bytes each; or, if size is above LAC_PAGE_MAX, of size - LAC_PAGE_MAX in all. */
typedef struct lac_run {
    uint32_t count, size;
} lac_run;

typedef struct lac_end {
    lac_stream_format format;
    uint32_t header_size;  /* bytes: where page 0 starts */
    uint64_t samples;      /* a channel, at the original rate */
    uint64_t frames;       /* latent frames a channel */
    uint64_t position;     /* byte offset of this end page in the file as written */
    uint32_t run_count;    /* the runs cover the first pages, perhaps not all */
    size_t size;
} lac_end;

/* Bits that the moves of a page say a frame's codebooks with, given those of the frame before. */
static inline uint32_t lac_page_move_bits(uint32_t before, uint32_t now)
{
    uint32_t apart = before < now ? now - before : before - now;
    return apart == 0 ? LAC_PAGE_SAME_BITS : apart == 1 ? LAC_PAGE_STEP_BITS : LAC_PAGE_JUMP_BITS;
}

/* Bytes that a page's head takes to list the codebooks of its frames; 0 if all have the same. */
size_t lac_page_list_size(const uint8_t *codebooks, size_t frames);

/* Bytes of all pages of a run. */
uint64_t lac_run_bytes(const lac_run *run);

bool lac_stream_format_equal(const lac_stream_format *a, const lac_stream_format *b);

/* Are these bytes a tag block: pairs of zero-terminated name and value, names and values valid, not too many? Gives
 * the number of tags if so. */
bool lac_tags_valid(const uint8_t *data, size_t size, size_t *count);

/* tags may be NULL when tag_bytes is 0. out has room for LAC_HEADER_FIXED + 6 + tag_bytes. Returns the bytes set. */
size_t lac_header_build(uint8_t *out, const lac_stream_format *format, const uint8_t *tags, size_t tag_bytes);

/* LAC_ERROR_TRUNCATED: more bytes are needed, h->size of them in all. LAC_ERROR_FORMAT: no .lac header.
 * LAC_ERROR_VERSION, LAC_ERROR_CHECKSUM as they say. */
int lac_header_parse(lac_header *h, const uint8_t *data, size_t size);

/* Write the page p (number, frames, codebooks, phase of p are read) in plain bits and set coding and sizes.
 *   tokens  per channel: [frames][stride], each below 2^token_bits
 *   out     LAC_PAGE_MAX bytes */
void lac_page_build(uint8_t *out, const lac_stream_format *format, lac_page *p, const uint16_t *const *tokens,
                    size_t stride);

/* The same around a payload of p->coding, LAC_PAGE_ADAPTIVE or from LAC_PAGE_PRIOR on, that stands at out +
 * LAC_PAGE_HEAD_MAX: payload_size bytes, 1 .. as many as plain bits take. */
void lac_page_build_coded(uint8_t *out, const lac_stream_format *format, lac_page *p, size_t payload_size);

/* Parse what precedes the payload; the checksum is the caller's. LAC_ERROR_TRUNCATED: `size` bytes are not enough to
 * tell, which LAC_PAGE_HEAD_MAX always are. LAC_ERROR_FORMAT: not an audio page. */
int lac_page_parse(lac_page *p, const lac_stream_format *format, const uint8_t *data, size_t size);

/* Are the unused bits of the payload's last byte zero? data is the whole page. */
bool lac_page_padding_zero(const lac_page *p, const uint8_t *data);

/* Tokens of a page in plain bits. tokens: per channel [frames][stride], zero where a frame has fewer.
 * LAC_ERROR_FORMAT: a frame has more than `stride` tokens or a token is not below `codewords`. */
int lac_page_unpack(uint16_t *const *tokens, size_t stride, uint32_t codewords, const lac_stream_format *format,
                    const lac_page *p, const uint8_t *data);

/* Write the end page; out has LAC_PAGE_MAX bytes, run_count <= LAC_END_MAX_RUNS. Sets end->size. */
void lac_end_build(uint8_t *out, lac_end *end, const lac_run *runs);

/* Size of an end page that seems to start at data, or 0. Needs 5 bytes; fewer give 0. */
size_t lac_end_size(const uint8_t *data, size_t size);

/* Parse a whole end page whose checksum was found right. runs has LAC_END_MAX_RUNS items. */
int lac_end_parse(lac_end *end, lac_run *runs, const uint8_t *data, size_t size);

/* ceil(samples * to / from), from > 0; UINT64_MAX if that overflows. */
uint64_t lac_scale_ceil(uint64_t samples, uint32_t to, uint32_t from);

#endif
