#include "options.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lac/stream.h"
#include "report.h"

#define DEFAULT_BPS 3000.0

/* A whole number of decimal digits in first .. last that ends at `end`, or 0. */
static uint32_t parse_count(const char *text, char end, uint32_t last)
{
    char *stop;
    unsigned long value;

    if (!isdigit((unsigned char)*text))
        return 0;
    value = strtoul(text, &stop, 10);
    return *stop == end && value <= last ? (uint32_t)value : 0;
}

static int parse_real(const char *text, double *value)
{
    char *stop;

    if (!isdigit((unsigned char)*text) && *text != '.')
        return -1;
    *value = strtod(text, &stop);
    return *stop == 0 && stop != text && isfinite(*value) ? 0 : -1;
}

int lac_options_read(int argc, char **argv, const char *letters, const struct option *options, const char *usage,
                     lac_take_option *take, void *job, int *done)
{
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        int failed;

        if (option == 'h') {
            fputs(usage, stdout);
            *done = 1;
            return 0;
        }
        failed = take(job, option, argv);
        if (failed)
            return failed;
    }
    return 0;
}

int lac_option_threads(const char *command, const char *text, uint32_t *threads)
{
    *threads = parse_count(text, 0, 256);
    return *threads ? 0 : lac_report_usage(command, "-t %s: threads are 1 to 256", text);
}

int lac_option_rate(const char *command, const char *text, uint32_t *rate)
{
    *rate = parse_count(text, 0, LAC_MAX_RATE);
    return *rate ? 0 : lac_report_usage(command, "-r %s: a rate is 1 to %u Hz", text, LAC_MAX_RATE);
}

int lac_option_kbps(const char *command, const char *text, double *kbps)
{
    if (parse_real(text, kbps) || *kbps <= 0.0)
        return lac_report_usage(command, "-b %s: not a rate in kbit/s", text);
    return 0;
}

int lac_option_seconds(const char *command, const char *name, const char *text, double *seconds)
{
    if (parse_real(text, seconds) || *seconds > 1e9)
        return lac_report_usage(command, "%s %s: not a number of seconds, 0 or more", name, text);
    return 0;
}

int lac_option_format(const char *command, const char *text, lac_pcm_format *format)
{
    *format = lac_pcm_parse(text);
    if (*format == LAC_PCM_NONE)
        return lac_report_usage(command, "--raw %s: the format is s16, s24, s32 or f32", text);
    return 0;
}

int lac_option_count(const char *command, const char *name, const char *text, uint32_t first, uint32_t last,
                     uint32_t *value)
{
    char *stop = NULL;
    unsigned long long count = isdigit((unsigned char)*text) ? strtoull(text, &stop, 10) : 0;

    if (!stop || *stop || count < first || count > last)
        return lac_report_usage(command, "%s %s: not a whole number from %u to %u", name, text, first, last);
    *value = (uint32_t)count;
    return 0;
}

int lac_option_real(const char *command, const char *name, const char *text, double first, double last,
                    const char *what, double *value)
{
    bool negative = first < 0 && *text == '-';
    int failed = parse_real(text + negative, value);

    if (negative)
        *value = -*value;
    if (failed || *value < first || *value > last)
        return lac_report_usage(command, "%s %s: %s is %g to %g", name, text, what, first, last);
    return 0;
}

int lac_option_raw(const char *command, const char *text, lac_raw_input *raw)
{
    const char *channels = strchr(text, ':');
    const char *format = channels ? strchr(channels + 1, ':') : NULL;

    if (!format)
        return lac_report_usage(command, "--raw %s: needs RATE:CHANNELS:FORMAT, as 48000:2:s16", text);
    raw->rate = parse_count(text, ':', LAC_MAX_RATE);
    raw->channels = parse_count(channels + 1, ':', LAC_MAX_CHANNELS);
    if (!raw->rate)
        return lac_report_usage(command, "--raw %s: a rate is 1 to %u Hz", text, LAC_MAX_RATE);
    if (!raw->channels)
        return lac_report_usage(command, "--raw %s: channels are 1 to %d", text, LAC_MAX_CHANNELS);
    raw->format = lac_pcm_parse(format + 1);
    if (raw->format == LAC_PCM_NONE)
        return lac_report_usage(command, "--raw %s: the format is s16, s24, s32 or f32", text);
    return 0;
}

double lac_codebook_bps(const lac_model_info *info)
{
    return (double)info->token_bits * info->sample_rate / info->frame_samples;
}

int lac_option_codebooks(const char *command, double kbps, const lac_model_info *info, uint32_t *codebooks)
{
    double step = lac_codebook_bps(info);
    double count = kbps < 0 ? floor(DEFAULT_BPS / step) : kbps * 1000.0 / step;
    double whole = rint(count);

    if (kbps < 0) {
        *codebooks = count < 1 ? 1 : count > info->codebooks ? info->codebooks : (uint32_t)count;
        return 0;
    }
    if (whole < 1 || whole > info->codebooks || fabs(count - whole) > 1e-6)
        return lac_report_usage(command, "-b %g: model %s offers %g to %g kbit/s in steps of %g", kbps, info->name,
                                step / 1000.0, step * info->codebooks / 1000.0, step / 1000.0);
    *codebooks = (uint32_t)whole;
    return 0;
}

int lac_option_bitrate(const char *command, double kbps, const lac_model_info *info, uint32_t *bitrate)
{
    double least = lac_codebook_bps(info), most = least * info->codebooks, wanted = rint(kbps * 1000);

    if (kbps < 0)
        wanted = fmin(fmax(DEFAULT_BPS, least), most);
    if (!(wanted >= least && wanted <= most))
        return lac_report_usage(command, "-b %g: model %s offers %g to %g kbit/s", kbps, info->name, least / 1000.0,
                                most / 1000.0);
    *bitrate = (uint32_t)wanted;
    return 0;
}
