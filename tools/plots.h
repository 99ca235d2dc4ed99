/* The pictures of `lac plot`. Each is a PNG file of *size bytes in *png, freed with free: 0, LAC_ERROR_ARGUMENT or
 * LAC_ERROR_MEMORY. */
#ifndef LAC_TOOLS_PLOTS_H
#define LAC_TOOLS_PLOTS_H

#include "factorset.h"

/* A part of a sound. */
typedef struct lac_plot_window {
    double start_s, seconds; /* seconds above 0 */
    const double *pcm;       /* [samples] of it, finite */
    size_t samples;
    uint32_t rate;           /* Hz */
} lac_plot_window;

/* Spectrogram, pitch, voicing, energy, content tokens and phones. */
int lac_plot_file(const lac_factor_set *set, const lac_plot_window *window, const char *title, uint8_t **png,
                  size_t *size);

/* A speaker's vector on a map. */
typedef struct lac_plot_point {
    const char *label;   /* points of one label, which follow each other, have one colour and name */
    const float *vector; /* [LAC_SPEAKER_SIZE] */
} lac_plot_point;

/* The two principal components of the vectors. count at least 1. */
int lac_plot_map(const lac_plot_point *points, size_t count, const char *title, uint8_t **png, size_t *size);

/* A phone's symbol (International Phonetic Alphabet, UTF-8) in ASCII (X-SAMPA), for letters that pictures have;
 * what is not in the table becomes '?'. */
void lac_plot_ascii(const char *symbol, char *text, size_t room);

#endif
