/* Streaming rate conversion (soxr, high quality, delay compensated) with an exact count of output frames. */
#ifndef LAC_TOOLS_RESAMPLE_H
#define LAC_TOOLS_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct lac_resampler lac_resampler;

/* Takes pcm[frames][channels]; returns 0, or anything else to stop. */
typedef int (*lac_pcm_sink)(void *user, const float *pcm, size_t frames);

/* Ratios within soxr's reach are accepted; on failure NULL, and *reason (static storage) says why. Equal rates pass
 * the samples through untouched. */
lac_resampler *lac_resampler_open(uint32_t rate_in, uint32_t rate_out, uint32_t channels, lac_pcm_sink sink,
                                  void *user, const char **reason);

/* Leave out the first `skip` output frames and everything after `limit` more. Call before the first write. */
void lac_resampler_window(lac_resampler *resampler, uint64_t skip, uint64_t limit);

/* 1 once `limit` frames have been given. */
int lac_resampler_is_full(const lac_resampler *resampler);

/* pcm[frames][channels], finite. 0, what the sink returned, or -1 if soxr failed. */
int lac_resampler_write(lac_resampler *resampler, const float *pcm, size_t frames);

/* The input has ended: cut or pad with silence so that exactly `total` frames (or the limit, if less) have been
 * given. */
int lac_resampler_finish(lac_resampler *resampler, uint64_t total);

void lac_resampler_close(lac_resampler **resampler);

/* n * to / from, rounded up or to nearest (halves up); UINT64_MAX if that overflows. */
uint64_t lac_rescale_up(uint64_t n, uint32_t to, uint32_t from);
uint64_t lac_rescale_near(uint64_t n, uint32_t to, uint32_t from);

#endif
