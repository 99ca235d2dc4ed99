#include "roomdecay.h"

#include <math.h>

#define PI         3.14159265358979323846
#define DIRECTIONS (LAC_DECAY_SIDE * LAC_DECAY_SIDE)
#define ROUNDS     6
#define HALVINGS   24
#define POINTS     12

void lac_decay_init(lac_decay *d, const double size[3], double distance)
{
    for (int i = 0; i < LAC_DECAY_SIDE; i++)
        for (int k = 0; k < LAC_DECAY_SIDE; k++) {
            double z = (i + 0.5) / LAC_DECAY_SIDE, across = sqrt(1 - z * z),
                   angle = (k + 0.5) * PI / 2 / LAC_DECAY_SIDE;
            d->walls[i * LAC_DECAY_SIDE + k] =
                LAC_SOUND_SPEED * (across * cos(angle) / size[0] + across * sin(angle) / size[1] + z / size[2]);
        }
    d->density = 4 * PI * LAC_SOUND_SPEED / (size[0] * size[1] * size[2]);
    d->direct = 1 / (distance * distance);
    d->start = distance / LAC_SOUND_SPEED;
}

/* Here and below `loss` is what a wall takes, -2 ln b. */
static double remaining(const lac_decay *d, double loss, double t)
{
    double sum = 0;
    for (int i = 0; i < DIRECTIONS; i++)
        sum += exp(-loss * d->walls[i] * t) / (loss * d->walls[i]);
    return d->density * sum / DIRECTIONS;
}

/* Seconds after which `level` of the whole is left, at the start or later. */
static double time_of(const lac_decay *d, double loss, double level)
{
    double low = d->start, high = 2 * d->start;
    while (remaining(d, loss, high) > level)
        high *= 2;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (remaining(d, loss, middle) > level)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* By the slope of the line through points of -5 .. -25 dB. */
static double t60_of(const lac_decay *d, double loss)
{
    double whole = d->direct + remaining(d, loss, d->start);
    double from = time_of(d, loss, whole * pow(10, -0.5)), to = time_of(d, loss, whole * pow(10, -2.5));
    double tt = 0, tl = 0;
    for (int i = 0; i < POINTS; i++) {
        double t = (i - (POINTS - 1) / 2.0) / (POINTS - 1), at = (from + to) / 2 + t * (to - from);
        tt += t * t;
        tl += t * 10 * log10(remaining(d, loss, at));
    }
    return -60 * (to - from) * tt / tl;
}

double lac_decay_reflection(const lac_decay *d, double t60_s)
{
    double walls = 0;
    for (int i = 0; i < DIRECTIONS; i++)
        walls += d->walls[i] / DIRECTIONS;
    double loss = 6 * log(10) / (t60_s * walls);
    for (int i = 0; i < ROUNDS; i++)
        loss *= t60_of(d, loss) / t60_s;
    return exp(-loss / 2);
}

double lac_decay_power(const lac_decay *d, double reflection, double t)
{
    double loss = -2 * log(reflection), sum = 0;
    for (int i = 0; i < DIRECTIONS; i++)
        sum += exp(-loss * d->walls[i] * t);
    return d->density * sum / DIRECTIONS;
}
