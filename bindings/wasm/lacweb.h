/* What lac.js calls beside the functions of include/lac themselves: JavaScript can't lay out C structs or pass
 * callbacks, so settings become arguments, infos become arrays of doubles and files become memory.
 *
 * Calls that can fail return 0 or a negative status; handles leave through the first argument. */
#ifndef LAC_WEB_H
#define LAC_WEB_H

#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"

#define LAC_WEB_EXPORT(name) __attribute__((export_name(#name)))

/* ---- memory ---- */

/* Aligned as lac_model_open_memory likes it; NULL if there is no memory. */
LAC_WEB_EXPORT(lac_web_alloc) void *lac_web_alloc(size_t size);
LAC_WEB_EXPORT(lac_web_free) void lac_web_free(void *memory);

/* ---- model ---- */

/* numbers: sample_rate, frame_samples, delay_samples, decoder_delay_samples, codebooks, codewords, token_bits,
 * file_bytes of lac_model_info, whose name and id go to the other two. */
LAC_WEB_EXPORT(lac_web_model_info)
void lac_web_model_info(const lac_model *model, double numbers[8], char name[LAC_MODEL_NAME_SIZE],
                        uint8_t id[LAC_MODEL_ID_SIZE]);

/* ---- files in memory ----
 * numbers: original_rate, channels, samples, model_samples, frames, pages, damaged_pages, payload_bits, bytes,
 * min_codebooks, max_codebooks, truncated of lac_stream_info; NaN while unknown. */

typedef struct lac_web_writer lac_web_writer;

LAC_WEB_EXPORT(lac_web_writer_open)
int lac_web_writer_open(lac_web_writer **writer, const lac_model *model, uint32_t original_rate, uint32_t channels,
                        uint32_t codebooks);
LAC_WEB_EXPORT(lac_web_writer_set_codebooks)
int lac_web_writer_set_codebooks(lac_web_writer *writer, uint32_t codebooks);
LAC_WEB_EXPORT(lac_web_writer_write)
int lac_web_writer_write(lac_web_writer *writer, const float *pcm, size_t frames);
LAC_WEB_EXPORT(lac_web_writer_finish) int lac_web_writer_finish(lac_web_writer *writer, double samples);
LAC_WEB_EXPORT(lac_web_writer_info) void lac_web_writer_info(const lac_web_writer *writer, double numbers[12]);

/* How many bytes were written since the last call; *data is valid until the next call with this writer. */
LAC_WEB_EXPORT(lac_web_writer_take) size_t lac_web_writer_take(lac_web_writer *writer, const uint8_t **data);
LAC_WEB_EXPORT(lac_web_writer_close) void lac_web_writer_close(lac_web_writer *writer);

typedef struct lac_web_reader lac_web_reader;

/* data [size] comes from lac_web_alloc; it belongs to the reader, also if this fails. */
LAC_WEB_EXPORT(lac_web_reader_open)
int lac_web_reader_open(lac_web_reader **reader, const lac_model *model, uint8_t *data, size_t size);
LAC_WEB_EXPORT(lac_web_reader_read)
int lac_web_reader_read(lac_web_reader *reader, float *pcm, size_t capacity, size_t *frames);
LAC_WEB_EXPORT(lac_web_reader_seek) int lac_web_reader_seek(lac_web_reader *reader, double position);
LAC_WEB_EXPORT(lac_web_reader_info) void lac_web_reader_info(const lac_web_reader *reader, double numbers[12]);
LAC_WEB_EXPORT(lac_web_reader_close) void lac_web_reader_close(lac_web_reader *reader);

#endif
