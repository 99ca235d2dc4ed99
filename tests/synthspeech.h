/* Speech-like test audio from integers alone: the same samples from every compiler and machine. */
#ifndef LAC_TESTS_SYNTHSPEECH_H
#define LAC_TESTS_SYNTHSPEECH_H

#include <stddef.h>
#include <stdint.h>

/* pcm [samples] at 24 kHz, full scale 1.0, multiples of 2^-15: voiced and unvoiced syllables and pauses of several
 * voices, from a pulse and noise source through three resonators (Klatt 1980, cascade branch). */
void synthspeech_fill(float *pcm, size_t samples, uint32_t seed);

#endif
