/* How sound dies away in a box whose walls absorb alike, as the mean over directions: what images far away add up
 * to.
 *
 * A path of direction u and length c t meets c t (|ux| / Lx + |uy| / Ly + |uz| / Lz) walls, so the power that
 * arrives at a time t is 4 pi c / V times the mean over directions of b to twice that (Lehmann and Johansson 2008),
 * b being a wall's reflection of amplitude. */
#ifndef LAC_SYNTH_ROOMDECAY_H
#define LAC_SYNTH_ROOMDECAY_H

#define LAC_SOUND_SPEED 343.0 /* m/s */
#define LAC_DECAY_SIDE  10

typedef struct lac_decay {
    double walls[LAC_DECAY_SIDE * LAC_DECAY_SIDE]; /* a second, by direction */
    double density;                                /* 4 pi c / V */
    double direct;                                 /* power of the direct sound: 1 / distance^2 */
    double start;                                  /* seconds it takes */
} lac_decay;

/* Metres. */
void lac_decay_init(lac_decay *d, const double size[3], double distance);

/* The reflection with which Schroeder's integral over direct sound and reverberation falls from -5 to -25 dB as
 * fast as 60 dB in t60_s. */
double lac_decay_reflection(const lac_decay *d, double t60_s);

/* Power a second that arrives `t` seconds after the sound was made. */
double lac_decay_power(const lac_decay *d, double reflection, double t);

#endif
