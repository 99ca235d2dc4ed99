#include "prosody.h"

#include "fmath.h"

#define AROUND 2 /* classes on each side of the most likely that count for the pitch */
#define PITCH_SPAN 2.48490665f /* log(LAC_PITCH_MAX / LAC_PITCH_MIN) */
#define MOST 1e6f /* of an output */

void lac_prosody_needs(lac_layer_needs *needs, const lac_factor_model *m, size_t rows)
{
    lac_trunk_needs(needs, &m->style.trunk, &m->arch.style, rows);
    lac_layer_needs_linear(needs, &m->style.output, rows);
}

void lac_prosody_init(lac_prosody *p, lac_workspace *w, const lac_factor_model *m, size_t rows)
{
    p->weights = &m->style;
    lac_trunk_init(&p->trunk, w, &m->style.trunk, &m->arch.style, rows);
    p->outputs = lac_workspace_take(w, rows * m->style.output.out, sizeof(float));
}

void lac_prosody_reset(lac_prosody *p)
{
    lac_trunk_reset(&p->trunk);
}

void lac_prosody_run(lac_prosody *p, size_t rows, lac_layer_work *work, const lac_tap *tap)
{
    lac_trunk_run(&p->trunk, rows, work, tap, "style.blocks");
    lac_layer_apply(work, &p->weights->output, p->trunk.stack.x, rows, p->outputs);
}

static size_t peak_of(const float *odds, size_t n)
{
    size_t peak = 0;
    for (size_t i = 1; i < n; i++)
        peak = odds[i] > odds[peak] ? i : peak;
    return peak;
}

/* From the average class around the peak: odds [LAC_PITCH_CLASSES]. */
static float pitch_hz(const float *odds, size_t peak)
{
    size_t first = peak < AROUND ? 0 : peak - AROUND, last = peak + AROUND;
    float sum = 0, class = 0;
    if (last > LAC_PITCH_CLASSES - 1)
        last = LAC_PITCH_CLASSES - 1;
    for (size_t i = first; i <= last; i++) {
        float p = lac_expf(odds[i] - odds[peak]);
        sum += p;
        class += p * (float)i;
    }
    return LAC_PITCH_MIN * lac_expf(class / sum * (PITCH_SPAN / (LAC_PITCH_CLASSES - 1)));
}

/* Share of the classes from the first on in what their odds and those of `unvoiced` make. */
static float voicing_of(const float *odds, float top, float unvoiced)
{
    float most = top > unvoiced ? top : unvoiced, sum = 0;
    for (size_t i = 0; i < LAC_PITCH_CLASSES; i++)
        sum += lac_expf(odds[i] - most);
    return sum / (sum + lac_expf(unvoiced - most));
}

void lac_prosody_read(const float *output, lac_factor_frame *frame)
{
    float odds[2 + LAC_PITCH_CLASSES]; /* unvoiced, classes, energy */
    for (size_t i = 0; i < 2 + LAC_PITCH_CLASSES; i++)
        odds[i] = lac_bounded(output[i], MOST);
    size_t peak = peak_of(odds + 1, LAC_PITCH_CLASSES);
    float energy = 20 * odds[1 + LAC_PITCH_CLASSES] - 60;
    frame->voicing = voicing_of(odds + 1, odds[1 + peak], odds[0]);
    frame->f0_hz = frame->voicing > 0.5f ? pitch_hz(odds + 1, peak) : 0;
    frame->energy_db = energy > -100 ? energy < 0 ? energy : 0 : -100;
}
