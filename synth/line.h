/* What stands between a microphone and a listener. Sounds change in place; nothing moves in time. */
#ifndef LAC_SYNTH_LINE_H
#define LAC_SYNTH_LINE_H

#include <stddef.h>
#include <stdint.h>

/* ITU-T G.711, mu-law: x of full scale 1.0, which is 8192 of its 14 bits; codes as transmitted (0xff is silence).
 */
uint8_t lac_mulaw_code(float x);
float lac_mulaw_value(uint8_t code);

/* A line of 8 kHz mu-law. 0 or LAC_ERROR_MEMORY. */
int lac_line_mulaw(float *pcm, size_t count, uint32_t rate);

/* libopus, 20 ms packets at bps, 6000 .. 64000; each is lost with the probability `loss`, in bursts of 2 on average
 * (Gilbert 1960), and then concealed by libopus. *bandwidth_hz: of most packets; *lost: share of packets. 0,
 * LAC_ERROR_MEMORY. */
int lac_line_opus(float *pcm, size_t count, uint32_t rate, uint32_t bps, double loss, uint64_t seed,
                  double *bandwidth_hz, double *lost);

/* Band limits, 0: none. 24 dB an octave below low_hz; above high_hz, where -6 dB is left, a steep edge. 0 or
 * LAC_ERROR_MEMORY. */
int lac_line_band(float *pcm, size_t count, uint32_t rate, double low_hz, double high_hz);

/* Samples `db` below the peak and above are held there; then as loud as before, by their mean power. */
void lac_line_clip(float *pcm, size_t count, double db);

#endif
