/* What the best choices of a stage leave: a beam search one stage at a time, over all rows of a fit. */
#include <string.h>

#include "beam.h"
#include "fitstate.h"
#include "parallel.h"

#define PART 256 /* codewords scored together */

typedef struct spread_job {
    lac_fit *fit;
    lac_rvq q;
    uint32_t stage;
} spread_job;

/* Half the squared length. */
static int32_t half_of(const int16_t *r, size_t n)
{
    int32_t sum = 0;
    for (size_t d = 0; d < n; d++)
        sum += r[d] * r[d];
    return sum >> 1;
}

/* The children of one candidate among `count` codewords from `first` on. */
static void offer(int64_t *best, size_t width, size_t parent, int32_t half, const int32_t *scores,
                  const int32_t *tops, size_t first, size_t count)
{
    int64_t last = best[width - 1];
    int64_t least = last == LAC_CHILD_NONE ? INT64_MIN : (int64_t)lac_child_gain(last) + half;
    for (size_t l = 0; l < LAC_CODE_PANEL; l++)
        for (size_t k = l; tops[l] >= least && k < count; k += LAC_CODE_PANEL)
            if (scores[k] >= least)
                lac_child_insert(best, width, lac_child_of(scores[k] - half, parent, first + k));
}

/* The best `width` children of a row's candidates left [now][D]. */
static void search(const spread_job *job, const int16_t *left, size_t now, int64_t *best, size_t width)
{
    const int16_t *r[LAC_RVQ_MAX_BEAM];
    int32_t half[LAC_RVQ_MAX_BEAM], scores[LAC_RVQ_MAX_BEAM * PART], tops[LAC_RVQ_MAX_BEAM * LAC_CODE_PANEL];
    for (size_t c = 0; c < now; c++) {
        r[c] = left + c * job->q.dimension;
        half[c] = half_of(r[c], job->q.dimension);
    }
    for (size_t i = 0; i < width; i++)
        best[i] = LAC_CHILD_NONE;
    for (size_t first = 0, n; first < job->q.codewords; first += n) {
        n = job->q.codewords - first < PART ? job->q.codewords - first : PART;
        lac_codebook book = lac_rvq_book(&job->q, job->stage, first, n);
        job->fit->kmeans.scores(scores, tops, r, now, &book);
        size_t row = (n + LAC_CODE_PANEL - 1) / LAC_CODE_PANEL * LAC_CODE_PANEL;
        for (size_t c = 0; c < now; c++)
            offer(best, width, c, half[c], scores + c * row, tops + c * LAC_CODE_PANEL, first, n);
    }
}

static void spread_rows(void *user, size_t part, size_t first, size_t end)
{
    const spread_job *job = user;
    size_t D = job->q.dimension, width = job->fit->settings.spread;
    (void)part;
    for (size_t i = first; i < end; i++) {
        int64_t best[LAC_RVQ_MAX_BEAM];
        int16_t old[LAC_RVQ_MAX_BEAM * LAC_RVQ_MAX_D], *left = job->fit->left + i * width * D;
        size_t now = job->stage == 0 ? 1 : width;
        memcpy(old, left, now * D * sizeof *old);
        search(job, old, now, best, width);
        for (size_t c = 0; c < width; c++) {
            const int16_t *from = old + lac_child_parent(best[c]) * D;
            size_t word = job->stage * (size_t)job->q.codewords + lac_child_token(best[c]);
            const int16_t *code = job->q.codes + word * D;
            for (size_t d = 0; d < D; d++) {
                int v = from[d] - code[d];
                v = v > LAC_RVQ_MAX ? LAC_RVQ_MAX : v;
                left[c * D + d] = (int16_t)(v < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : v);
            }
        }
    }
}

void lac_fit_spread(lac_fit *f, uint32_t stage)
{
    lac_parallel(f->kept, f->settings.threads, spread_rows, &(spread_job){f, lac_fit_rvq(f), stage});
}
