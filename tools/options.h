/* Values of options. Each parser returns 0, or LAC_EXIT_USAGE after a message in the name of `command`. */
#ifndef LAC_TOOLS_OPTIONS_H
#define LAC_TOOLS_OPTIONS_H

#include <getopt.h>
#include <stdint.h>

#include "lac/model.h"
#include "pcmformat.h"

#define LAC_MAX_RATE 768000u /* Hz, of lac/stream.h */

typedef struct lac_raw_input {
    uint32_t rate;
    uint32_t channels;
    lac_pcm_format format; /* LAC_PCM_NONE: not raw, the file has a header */
} lac_raw_input;

/* Takes one option of getopt_long for `job`: 0 or an exit status. */
typedef int lac_take_option(void *job, int option, char **argv);

/* Hands every option to `take`; optind is then the first operand. -h prints `usage` and sets *done instead. 0, or the
 * exit status of the first that failed. */
int lac_options_read(int argc, char **argv, const char *letters, const struct option *options, const char *usage,
                     lac_take_option *take, void *job, int *done);

int lac_option_threads(const char *command, const char *text, uint32_t *threads);
int lac_option_rate(const char *command, const char *text, uint32_t *rate);
int lac_option_kbps(const char *command, const char *text, double *kbps);
int lac_option_seconds(const char *command, const char *name, const char *text, double *seconds);
int lac_option_format(const char *command, const char *text, lac_pcm_format *format);

/* Option `name`: a whole number, decimal, in first .. last; and any number in first .. last, which is `what`. */
int lac_option_count(const char *command, const char *name, const char *text, uint32_t first, uint32_t last,
                     uint32_t *value);
int lac_option_real(const char *command, const char *name, const char *text, double first, double last,
                    const char *what, double *value);

/* "RATE:CHANNELS:FORMAT" */
int lac_option_raw(const char *command, const char *text, lac_raw_input *raw);

/* Bits a second that one codebook of one channel costs. */
double lac_codebook_bps(const lac_model_info *info);

/* Codebooks for `kbps` a channel; it must be a multiple of a codebook's rate within the model's range. A negative
 * kbps means the default: as many as fit in 3 kbit/s, at least one. */
int lac_option_codebooks(const char *command, double kbps, const lac_model_info *info, uint32_t *codebooks);

/* Bits a second for `kbps` a channel, from the rate of one codebook to that of all. Negative: 3 kbit/s, or the nearest. */
int lac_option_bitrate(const char *command, double kbps, const lac_model_info *info, uint32_t *bitrate);

#endif
