/* Speech made longer or shorter by one pitch period, its pitch unchanged.
 *
 * WSOLA (Verhelst and Roelands, ICASSP 1993), one step at a time: where the sound resembles itself a little later,
 * a crossfade leads from the one place to the other. */
#ifndef LAC_CODEC_TIMESCALE_H
#define LAC_CODEC_TIMESCALE_H

#include <stddef.h>

#define LAC_TIMESCALE_MOST 360  /* samples that a step inserts or leaves out: 15 ms */
#define LAC_TIMESCALE_FADE 240  /* samples of the crossfade */

/* Insert into x [n], n >= LAC_TIMESCALE_FADE, right at its start; x has room for LAC_TIMESCALE_MOST more, and
 * before it lie LAC_TIMESCALE_MOST samples that sounded just now. Where it resembles itself less than `likeness`
 * (a normalised correlation, at most 1) and is not soft either, nothing happens. Returns how many samples were
 * inserted. */
size_t lac_timescale_stretch(float *x, size_t n, float likeness);

/* The same, leaving out. n >= LAC_TIMESCALE_MOST + LAC_TIMESCALE_FADE; nothing before x counts. */
size_t lac_timescale_compress(float *x, size_t n, float likeness);

#endif
