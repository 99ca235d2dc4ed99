/* The way from a mouth to a microphone in a box, as an impulse response: the image method (Allen and Berkley 1979),
 * its images moved by up to 5 cm so that their lattice does not sing (De Sena et al. 2015), low and high
 * frequencies dying away each at their own pace, and behind the first thousands of images noise that dies away as
 * they do (Lehmann and Johansson 2010). */
#ifndef LAC_SYNTH_ROOM_H
#define LAC_SYNTH_ROOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct lac_room {
    float *response; /* [taps], from the direct sound on; energy 1 */
    size_t taps;
    double t60_s;      /* measured: lac_room_t60 */
    double distance_m; /* mouth to microphone */
} lac_room;

/* t60_s 0.1 .. 1.5, of low frequencies; the seed draws the rest: size, places, how much faster high ones die away.
 * 0 or LAC_ERROR_MEMORY; free with lac_room_close, which allows a zeroed room. */
int lac_room_open(lac_room *room, double t60_s, double rate, uint64_t seed);
void lac_room_close(lac_room *room);

/* Schroeder's integral of the octaves of 500 and 1000 Hz: 60 dB at the slope of -5 .. -25 dB (ISO 3382); 0 if it
 * does not fall. 0 or LAC_ERROR_MEMORY. */
int lac_room_t60(const float *response, size_t taps, double rate, double *t60_s);

#endif
