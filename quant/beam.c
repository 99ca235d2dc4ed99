/* M-best search in a residual vector quantiser. */
#include <string.h>

#include "beam.h"
#include "rvq.h"

#define ROWS 32  /* candidates searched for together: a codeword is read once for many */
#define PART 256 /* codewords scored together: they and the scores fit in the first cache */
#define CACHE_LINE 64

typedef struct candidate {
    int16_t left[LAC_RVQ_MAX_D]; /* the residual, then zeros: loops of constant length are short and fast */
    int32_t half;                /* half its squared length */
    uint16_t tokens[LAC_RVQ_MAX_STAGES];
} candidate;

/* What the search knows of one row of z. A gain is minus half of what would be left. */
typedef struct row {
    candidate *now, *next;          /* [width]; tokens ascend */
    size_t count, greedy;           /* candidates; which of them greedy search chose */
    int64_t best[LAC_RVQ_MAX_BEAM]; /* children, the best first, then LAC_CHILD_NONE */
    int32_t least;                  /* gain below which a child is not among the best */
    int32_t greedy_score;           /* what greedy search takes next, and its score so far */
    size_t greedy_token;
} row;

typedef struct beam {
    const lac_rvq *q;
    lac_scores_fn *scores;
    size_t width;
    candidate pool[2 * ROWS];
    row rows[ROWS / 2];
} beam;

/* ---- children ---- */

static void clear_children(row *r, size_t width)
{
    for (size_t i = 0; i < width; i++)
        r->best[i] = LAC_CHILD_NONE;
    r->least = r->greedy_score = INT32_MIN;
}

static void insert_child(row *r, size_t width, int64_t child)
{
    lac_child_insert(r->best, width, child);
    if (r->best[width - 1] != LAC_CHILD_NONE && lac_child_gain(r->best[width - 1]) > r->least)
        r->least = lac_child_gain(r->best[width - 1]);
}

/* Of `count` codewords from `first` on for the candidate of greedy search. */
static void follow(row *r, const int32_t *scores, const int32_t *tops, size_t first, size_t count)
{
    int32_t top = r->greedy_score;
    for (size_t l = 0; l < LAC_CODE_PANEL; l++)
        top = tops[l] > top ? tops[l] : top;
    for (size_t k = 0; k < count && top > r->greedy_score; k++)
        if (scores[k] == top) {
            r->greedy_score = top;
            r->greedy_token = first + k;
        }
}

/* `count` codewords from `first` on for one candidate. INT32_MIN + half is below every score. */
static void offer(row *r, size_t width, size_t parent, const int32_t *scores, const int32_t *tops, size_t first,
                  size_t count)
{
    int32_t half = r->now[parent].half, least = r->least + half;
    int any = 0;
    for (size_t l = 0; l < LAC_CODE_PANEL; l++)
        any |= tops[l] >= least;
    for (size_t l = 0; any && l < LAC_CODE_PANEL; l++)
        for (size_t k = l; tops[l] >= least && k < count; k += LAC_CODE_PANEL)
            if (scores[k] >= least) {
                insert_child(r, width, lac_child_of(scores[k] - half, parent, first + k));
                least = r->least + half;
            }
}

/* From the tops of the first part: as high a gain as a few steps find that `width` children reach. Without it most of
 * the time would go into children that soon make way for better ones. */
static void expect(row *r, size_t width, const int32_t *tops)
{
    int32_t gains[LAC_RVQ_MAX_BEAM][LAC_CODE_PANEL], low = INT32_MAX, high = INT32_MIN;
    for (size_t c = 0; c < r->count; c++)
        for (size_t l = 0; l < LAC_CODE_PANEL; l++) {
            gains[c][l] = tops[c * LAC_CODE_PANEL + l] - r->now[c].half;
            low = gains[c][l] < low ? gains[c][l] : low;
            high = gains[c][l] > high ? gains[c][l] : high;
        }
    for (int step = 0; step < 7; step++) {
        int32_t middle = low + (int32_t)(((uint32_t)high - (uint32_t)low) / 2);
        uint32_t reached = 0;
        for (size_t c = 0; c < r->count; c++)
            for (size_t l = 0; l < LAC_CODE_PANEL; l++)
                reached += gains[c][l] >= middle;
        *(reached >= width ? &low : &high) = middle;
    }
    r->least = low;
}

/* ---- a stage ---- */

static void offer_part(beam *b, size_t s, const uint32_t *stages, size_t rows, const int32_t *scores,
                       const int32_t *tops, size_t first, size_t count)
{
    for (size_t i = 0; i < rows; i++) {
        row *r = &b->rows[i];
        if (s >= stages[i])
            continue;
        if (first == 0 && count >= LAC_CODE_PANEL && r->count * LAC_CODE_PANEL >= b->width)
            expect(r, b->width, tops);
        for (size_t c = 0; c < r->count; c++) {
            if (c == r->greedy)
                follow(r, scores, tops, first, count);
            offer(r, b->width, c, scores, tops, first, count);
            scores += (count + LAC_CODE_PANEL - 1) / LAC_CODE_PANEL * LAC_CODE_PANEL;
            tops += LAC_CODE_PANEL;
        }
    }
}

/* The best children of all rows that have a stage s. */
static void search(beam *b, size_t s, const uint32_t *stages, size_t rows)
{
    const lac_rvq *q = b->q;
    size_t candidates = 0;
    const int16_t *left[ROWS];
    int32_t scores[ROWS * PART], tops[ROWS * LAC_CODE_PANEL];
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; s < stages[i] && c < b->rows[i].count; c++)
            left[candidates++] = b->rows[i].now[c].left;
    for (size_t first = 0, n; candidates > 0 && first < q->codewords; first += n) {
        n = q->codewords - first < PART ? q->codewords - first : PART;
        lac_codebook book = lac_rvq_book(q, s, first, n);
        (q->packed ? b->scores : lac_scores_c)(scores, tops, left, candidates, &book);
        offer_part(b, s, stages, rows, scores, tops, first, n);
    }
}

static const int16_t *code_of(const lac_rvq *q, size_t s, int64_t child)
{
    return q->codes + (s * q->codewords + lac_child_token(child)) * q->dimension;
}

static void measure(candidate *c)
{
    int32_t sum = 0;
    for (size_t d = 0; d < LAC_RVQ_MAX_D; d++)
        sum += c->left[d] * c->left[d];
    c->half = sum >> 1;
}

static void grow(const lac_rvq *q, size_t s, const row *r, int64_t child, candidate *to)
{
    const candidate *parent = &r->now[lac_child_parent(child)];
    int16_t code[LAC_RVQ_MAX_D] = {0};
    memcpy(code, code_of(q, s, child), q->dimension * sizeof *code);
    memcpy(to->tokens, parent->tokens, sizeof to->tokens);
    to->tokens[s] = lac_child_token(child);
    for (size_t d = 0; d < LAC_RVQ_MAX_D; d++) {
        int16_t v = (int16_t)(parent->left[d] - code[d]);
        v = v > LAC_RVQ_MAX ? LAC_RVQ_MAX : v;
        to->left[d] = v < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : v;
    }
    measure(to);
}

size_t lac_beam_keep(int64_t *best, size_t width, int64_t greedy)
{
    size_t count = 0;
    while (count < width && best[count] != LAC_CHILD_NONE)
        count++;
    if (greedy < best[count - 1])
        best[count - 1] = greedy;
    for (size_t i = 1; i < count; i++) {
        int64_t child = best[i];
        size_t j = i;
        for (; j > 0 && lac_child_order(best[j - 1]) > lac_child_order(child); j--)
            best[j] = best[j - 1];
        best[j] = child;
    }
    return count;
}

/* The best children become candidates, that of greedy search among them. */
static void advance(const beam *b, row *r, size_t s)
{
    int64_t chosen = lac_child_of(r->greedy_score - r->now[r->greedy].half, r->greedy, r->greedy_token);
    size_t count = lac_beam_keep(r->best, b->width, chosen), greedy = 0;
    for (size_t i = 0; i < count; i++) /* scattered, so waited for together */
        for (size_t d = 0; d < b->q->dimension; d += CACHE_LINE / sizeof(int16_t))
            __builtin_prefetch(code_of(b->q, s, r->best[i]) + d);
    for (size_t i = 0; i < count; i++) {
        grow(b->q, s, r, r->best[i], &r->next[i]);
        if (r->best[i] == chosen)
            greedy = i;
    }
    candidate *old = r->now;
    r->now = r->next;
    r->next = old;
    r->count = count;
    r->greedy = greedy;
    clear_children(r, b->width);
}

/* ---- rows ---- */

static void begin(const beam *b, row *r, candidate *pool, const int16_t *z)
{
    *r = (row){.now = pool, .next = pool + b->width, .count = 1};
    clear_children(r, b->width);
    memset(r->now, 0, sizeof *r->now);
    memcpy(r->now->left, z, b->q->dimension * sizeof *z);
    measure(r->now);
}

static const uint16_t *choose(const lac_rvq *q, const row *r, const int16_t *z, uint32_t stages)
{
    const candidate *best = r->now;
    uint32_t least = UINT32_MAX;
    for (const candidate *c = r->now; c < r->now + r->count; c++) {
        int16_t decoded[LAC_RVQ_MAX_D];
        lac_rvq_decode(q, c->tokens, stages, decoded);
        uint32_t left = lac_beam_distance(z, decoded, q->dimension);
        if (left < least) {
            least = left;
            best = c;
        }
    }
    return best->tokens;
}

/* At most ROWS / b->width rows. */
static void encode_rows(beam *b, const int16_t *z, const uint32_t *stages, size_t rows, uint16_t *tokens)
{
    size_t D = b->q->dimension, Q = b->q->stages;
    for (size_t i = 0; i < rows; i++)
        begin(b, &b->rows[i], b->pool + 2 * i * b->width, z + i * D);
    for (size_t s = 0; s < Q; s++) {
        search(b, s, stages, rows);
        for (size_t i = 0; i < rows; i++)
            if (s < stages[i])
                advance(b, &b->rows[i], s);
    }
    for (size_t i = 0; i < rows; i++)
        memcpy(tokens + i * Q, choose(b->q, &b->rows[i], z + i * D, stages[i]), stages[i] * sizeof *tokens);
}

void lac_rvq_encode_beam(const lac_rvq *q, lac_scores_fn *scores, uint32_t width, const int16_t *z,
                         const uint32_t *stages, size_t rows, uint16_t *tokens)
{
    beam b;
    b.q = q;
    b.scores = scores;
    b.width = width;
    memset(tokens, 0, rows * q->stages * sizeof *tokens);
    for (size_t i = 0, n, most = ROWS / width; i < rows; i += n) {
        n = rows - i < most ? rows - i : most;
        encode_rows(&b, z + i * q->dimension, stages + i, n, tokens + i * q->stages);
    }
}
