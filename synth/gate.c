#include "gate.h"

#include <math.h>

#define CLIPPED 0.999f
#define SILENT  3.1622776601683794e-6 /* mean square of -55 dB */

double lac_gate_cosine(const float *a, const float *b, size_t size)
{
    double ab = 0, aa = 0, bb = 0;

    for (size_t i = 0; i < size; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

void lac_gate_listen(lac_gate_scores *s, const float *pcm, size_t samples, unsigned rate)
{
    size_t frame = rate / 50, clipped = 0, silent = 0, frames = samples / frame;
    double power = 0;

    for (size_t i = 0; i < samples; i++)
        clipped += pcm[i] >= CLIPPED || pcm[i] <= -CLIPPED;
    for (size_t t = 0; t < frames; t++) {
        double sum = 0;

        for (size_t i = 0; i < frame; i++)
            sum += (double)pcm[t * frame + i] * pcm[t * frame + i];
        if (sum / (double)frame < SILENT)
            silent++;
        else
            power += sum / (double)frame;
    }
    s->clipped_share = samples ? (double)clipped / (double)samples : 0;
    s->silent_share = frames ? (double)silent / (double)frames : 1;
    s->level_db = frames > silent ? 10 * log10(power / (double)(frames - silent)) : -100;
}

bool lac_gate_judge(lac_gate_scores *s, const lac_plan *plan)
{
    s->failed = 0;
    if (s->measured && s->speaker_cosine < plan->gates.speaker_cosine_min)
        s->failed |= LAC_GATE_SPEAKER;
    if (s->measured && s->content_distance > plan->gates.content_distance_max)
        s->failed |= LAC_GATE_CONTENT;
    if (s->measured && s->snr_db < plan->gates.snr_db_min)
        s->failed |= LAC_GATE_SNR;
    if (s->clipped_share > plan->gates.clipped_share_max)
        s->failed |= LAC_GATE_CLIPPING;
    if (s->silent_share > plan->gates.silent_share_max)
        s->failed |= LAC_GATE_SILENCE;
    return s->failed == 0;
}

const char *lac_gate_name(unsigned number)
{
    static const char *const names[LAC_GATES] = {"speaker", "content", "snr", "clipping", "silence"};

    return names[number];
}
