/* The .lac file: a header, self-contained pages of about a second with CRC-32C, an end page with the exact sample
 * count and a seek table. doc/bitstream.md is normative.
 *
 * Reader and writer work on the model's rate and on interleaved channels [frames][channels]; resampling to and
 * from the original rate is the caller's. They allocate at open (and while reading tags and the seek table, in
 * bounded amounts), never while audio runs. Thread rule as for lac_encoder. */
#ifndef LAC_STREAM_H
#define LAC_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_STREAM_VERSION 1
#define LAC_MAX_CHANNELS 8
#define LAC_MAX_BITRATE 1000000    /* bits a second */
#define LAC_MAX_TAGS 256           /* tags of a file */
#define LAC_MAX_TAG_BYTES 65535    /* all names and values together, terminating zeros included */

/* Where bytes come from and go to. `user` is passed back. */
typedef struct lac_io {
    void *user;
    /* Up to `size` bytes to `data`: how many, 0 at the end, negative on an error. NULL for a writer. */
    int64_t (*read)(void *user, void *data, size_t size);
    /* All `size` bytes: 0, negative on an error. NULL for a reader. */
    int (*write)(void *user, const void *data, size_t size);
    /* To an absolute byte position: 0, negative where that is impossible. NULL: can't seek (a pipe). Used by readers
     * whose size is known. */
    int (*seek)(void *user, uint64_t position);
    /* Total bytes, negative if unknown. NULL: unknown. */
    int64_t (*size)(void *user);
} lac_io;

/* A tag as in Vorbis comments: name of printable ASCII without '=', value UTF-8; both zero-terminated. */
typedef struct lac_tag {
    const char *name;
    const char *value;
} lac_tag;

typedef struct lac_stream_info {
    uint32_t format_version;
    uint8_t model_id[LAC_MODEL_ID_SIZE]; /* as far as the file carries it, the rest zero */
    uint32_t original_rate;              /* Hz of the audio before resampling, 1 .. 768000 */
    uint32_t channels;                   /* 1 .. LAC_MAX_CHANNELS */
    uint64_t samples;                    /* a channel, at original_rate; UINT64_MAX while unknown */
    uint64_t model_samples;              /* a channel, at the model's rate: ceil(samples * rate / original_rate);
                                            UINT64_MAX while samples is, and before lac_reader_start */
    uint64_t frames;                     /* latent frames a channel; UINT64_MAX while unknown */
    uint64_t pages;                      /* audio pages; while unknown, those met so far */
    uint64_t damaged_pages;              /* pages found damaged or missing so far; a damaged header counts as one */
    uint64_t payload_bits;               /* what the tokens of the pages met so far take, all channels, and where it
                                            changes from frame to frame what says how many there are */
    uint64_t bytes;                      /* bytes read or written so far */
    uint32_t min_codebooks, max_codebooks; /* over the pages met so far */
    int truncated;                       /* 1 once the input ended without a valid end page */
    uint64_t plain_bits;                 /* what the same tokens would take as plain bits */
    uint64_t adaptive_pages, prior_pages; /* pages of those met so far whose tokens are coded so, enum lac_coding */
} lac_stream_info;

/* ---- writing ---- */

typedef struct lac_writer lac_writer;

/* How tokens become bytes (doc/entropy.md). It changes the size of a file, never the tokens: all give the same sound.
 * A page that a coding does not make smaller is written in plain bits. */
enum lac_coding {
    LAC_CODING_BEST,     /* the smallest that the model allows */
    LAC_CODING_PLAIN,    /* token_bits each */
    LAC_CODING_ADAPTIVE, /* by counts of the page's tokens so far */
    LAC_CODING_PRIOR     /* by the network that comes with the model */
};

typedef struct lac_writer_settings {
    uint32_t original_rate;  /* Hz */
    uint32_t channels;       /* 1 .. LAC_MAX_CHANNELS */
    uint32_t codebooks;      /* tokens a frame and channel, 1 .. Q; 0 means Q; with `bitrate`, the most */
    uint32_t threads;        /* 1 .. 256 */
    const lac_tag *tags;     /* copied at open */
    size_t tag_count;
    uint32_t beam;           /* of the encoders (lac/encoder.h), 1 .. LAC_MAX_BEAM; 0 means 1 */
    uint32_t coding;         /* enum lac_coding; LAC_ERROR_ARGUMENT if the model has not what it takes */
    uint32_t bitrate;        /* bits a second and channel, .. LAC_MAX_BITRATE, that tokens and what says their number
                                shall take on average; 0: every frame has `codebooks`. Frames get 1 or more, where they
                                help most. 20 s are held back for it, which the call that fills them codes; what these
                                leave or lack the next have. Less than a codebook takes can't be reached. Not for
                                lac_writer_write_tokens, which is told the codebooks */
} lac_writer_settings;

/* 24000 Hz, 1 channel, Q codebooks, 1 thread, no tags, greedy search, the best coding. */
LAC_API void lac_writer_default_settings(lac_writer_settings *settings);

/* Writes the header. *io is copied; what it points to must live until the writer is closed. */
LAC_API int lac_writer_open(lac_writer **writer, const lac_model *model, const lac_io *io,
                            const lac_writer_settings *settings);

/* Codebooks of the frames that complete from now on, 1 .. Q, all channels. With a bitrate LAC_ERROR_STATE. */
LAC_API int lac_writer_set_codebooks(lac_writer *writer, uint32_t codebooks);

/* Encode `frames` sample frames pcm[frames][channels] at the model's rate. After an error only close is allowed. */
LAC_API int lac_writer_write(lac_writer *writer, const float *pcm, size_t frames);

/* Instead of sound, `frames` frames of tokens that are there already, such as those of lac_encoder_write or
 * lac_reader_read_tokens: the file decodes to what a lac_decoder makes of them.
 *   tokens     [frames][channels][Q]; of each row the first codebooks[t] count, each below K
 *   codebooks  [frames]: 0 .. Q, of all channels; 0 marks a lost frame, which a reader conceals
 * A writer takes either tokens or sound: LAC_ERROR_STATE. LAC_ERROR_ARGUMENT, with nothing taken, if a value is out of
 * range. */
LAC_API int lac_writer_write_tokens(lac_writer *writer, const uint16_t *tokens, const uint8_t *codebooks,
                                    size_t frames);

/* Write the rest and the end page. `samples` is the exact count a channel at original_rate; it must fit what was
 * written, else LAC_ERROR_ARGUMENT: N = ceil(samples * model rate / original_rate) sample frames, or, of tokens,
 * ceil((N + decoder_delay_samples) / frame_samples) frames; none if N is 0. */
LAC_API int lac_writer_finish(lac_writer *writer, uint64_t samples);

LAC_API void lac_writer_get_info(const lac_writer *writer, lac_stream_info *info);

/* Close and set *writer to NULL; without finish the file is a truncated one. */
LAC_API void lac_writer_close(lac_writer **writer);

/* ---- reading ---- */

typedef struct lac_reader lac_reader;

/* Reads and checks the header only, without a model: to find out which one a file needs. *io is copied. */
LAC_API int lac_reader_open(lac_reader **reader, const lac_io *io);

/* What is known so far. On an input that can seek, the totals are known after open if the end page is sound. */
LAC_API void lac_reader_get_info(const lac_reader *reader, lac_stream_info *info);

LAC_API size_t lac_reader_tag_count(const lac_reader *reader);

/* Tag `index`, pointers valid until close; 0 or LAC_ERROR_ARGUMENT past the last. */
LAC_API int lac_reader_tag(const lac_reader *reader, size_t index, lac_tag *tag);

/* Check every page without decoding, to the end. 0 if all are sound; otherwise LAC_ERROR_CHECKSUM or
 * LAC_ERROR_TRUNCATED, and the info tells what was found. Needs no model. The reader must not have read audio; an
 * input that can't seek is used up. */
LAC_API int lac_reader_verify(lac_reader *reader);

/* Attach the model before reading audio: LAC_ERROR_MODEL_MISMATCH if it is not the one the file names, LAC_ERROR_LIMIT
 * if its receptive field is 64 frames or more. threads 1 .. 256. */
LAC_API int lac_reader_start(lac_reader *reader, const lac_model *model, uint32_t threads);

/* Decode up to `capacity` sample frames to pcm[capacity][channels] at the model's rate; *frames is 0 at the end.
 * Damaged and missing pages are concealed and counted in the info; the position in time is kept. A page in a token
 * coding of a newer version gives LAC_ERROR_VERSION, one coded by a prior that the model lacks
 * LAC_ERROR_MODEL_MISMATCH. */
LAC_API int lac_reader_read(lac_reader *reader, float *pcm, size_t capacity, size_t *frames);

/* Continue at sample frame `position` of the model's rate: what follows is exactly what a full decode gives there.
 * Past the end: the end. On an input that can't seek, forwards only, else LAC_ERROR_NOT_SEEKABLE. */
LAC_API int lac_reader_seek(lac_reader *reader, uint64_t position);

/* Instead of sound, up to `capacity` frames of tokens, whatever their coding; *frames is 0 at the end. A reader gives
 * either tokens or sound: LAC_ERROR_STATE. Damaged and missing pages keep their place in time.
 *   tokens     [capacity][channels][Q]; of each row the first codebooks[t] are set, the rest are zero
 *   codebooks  [capacity]: 0 .. Q, of all channels; 0: the frame is lost */
LAC_API int lac_reader_read_tokens(lac_reader *reader, uint16_t *tokens, uint8_t *codebooks, size_t capacity,
                                   size_t *frames);

/* Continue reading tokens at frame `frame`. Past the end: the end. On an input that can't seek, forwards only, else
 * LAC_ERROR_NOT_SEEKABLE. */
LAC_API int lac_reader_seek_frame(lac_reader *reader, uint64_t frame);

/* Close and set *reader to NULL. */
LAC_API void lac_reader_close(lac_reader **reader);

#ifdef __cplusplus
}
#endif

#endif
