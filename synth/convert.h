/* Rate conversion of whole sounds, by soxr; nothing moves in time. */
#ifndef LAC_SYNTH_CONVERT_H
#define LAC_SYNTH_CONVERT_H

#include <stddef.h>
#include <stdint.h>

/* Samples at `to` Hz of `count` at `from` Hz, rounded up. */
size_t lac_convert_count(size_t count, uint32_t from, uint32_t to);

/* in [count] at `from` Hz -> out [out_count] at `to` Hz, cut or continued with silence. 0 or LAC_ERROR_MEMORY. */
int lac_convert(const float *in, size_t count, uint32_t from, float *out, size_t out_count, uint32_t to);

#endif
