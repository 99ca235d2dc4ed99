/* Writing .lac files of an average rate. */
#include <string.h>

#include "allocate.h"
#include "writer.h"

#define RATIO_ONE LAC_ALLOCATION_BIT /* of coded bits to plain ones */
#define RATIO_FIRST (RATIO_ONE * 3 / 4)
#define RATIO_CLOSE 16 /* one that moves by less than a part of so many hardly moves again */
#define PASSES 3
#define REPAID 4        /* a window pays no more than this part of what it has for those before */

void lac_writer_begin_average(lac_writer *w)
{
    w->ratio = w->page_coding == LAC_PAGE_PLAIN ? RATIO_ONE : RATIO_FIRST;
}

/* Bits of the window's tokens as they would be written, of greedy tokens in the place of those that come later. */
static uint64_t coded_bits(lac_writer *w)
{
    uint64_t bits = 0;
    const uint16_t *rows[LAC_MAX_CHANNELS];
    for (size_t first = 0, tokens; first < w->pending; first += LAC_PAGE_FRAMES) {
        lac_page p = {.coding = w->page_coding};
        tokens = 0;
        p.frames = (uint32_t)(w->pending - first < LAC_PAGE_FRAMES ? w->pending - first : LAC_PAGE_FRAMES);
        memcpy(p.codebooks, w->codebooks + first, p.frames);
        for (uint32_t i = 0; i < p.frames; i++)
            tokens += p.codebooks[i] * w->format.channels;
        for (uint32_t c = 0; c < w->format.channels; c++)
            rows[c] = w->tokens[c] + first * w->model.codebooks;
        size_t plain = (tokens * w->format.token_bits + 7) / 8;
        size_t bytes = lac_pagecoding_encode(&w->coding, &p, rows, w->coded, plain);
        bits += 8 * (bytes > 0 ? bytes : plain);
    }
    return bits;
}

static uint64_t plain_bits(const lac_writer *w)
{
    uint64_t tokens = 0;
    for (size_t t = 0; t < w->pending; t++)
        tokens += w->codebooks[t];
    return tokens * w->format.channels * w->format.token_bits;
}

/* Of coded bits to plain ones: what an allocation went by, and what came of it. */
typedef struct trial {
    int64_t taken, found;
} trial;

/* Codebooks of all pending frames, by the ratio that is expected. */
static void allocate(lac_writer *w, uint64_t budget)
{
    uint32_t cost = w->format.channels * w->format.token_bits * w->ratio;
    lac_allocation a = {w->average.errors, w->pending, w->average.most, cost};
    lac_allocate(&a, budget, w->codebooks);
}

/* A ratio that the next try should find, by the secant through the last two. Ratios fall as codebooks come: to take
 * what was found would leap to and fro. */
static int64_t next_ratio(const trial *last, const trial *now)
{
    int64_t left = now->found - now->taken, before = last->found - last->taken;
    int64_t next = now->found;
    if (last->taken > 0 && left != before)
        next = now->taken - left * (now->taken - last->taken) / (left - before);
    if ((next < now->taken) != (now->found < now->taken))
        next = now->found;
    return next < 1 ? 1 : next > RATIO_ONE ? RATIO_ONE : next;
}

/* Codebooks of all pending frames, within the budget by what coding is expected to save, which is tried and mended. */
static void share_out(lac_writer *w, uint64_t budget)
{
    trial last = {0, 0};
    bool done = w->page_coding == LAC_PAGE_PLAIN;
    allocate(w, budget);
    for (int pass = 0; pass < PASSES && !done; pass++) {
        trial now = {w->ratio, (int64_t)(coded_bits(w) * RATIO_ONE / plain_bits(w))};
        int64_t next = next_ratio(&last, &now), moved = next < now.taken ? now.taken - next : next - now.taken;
        w->ratio = (uint32_t)next;
        allocate(w, budget);
        done = moved * RATIO_CLOSE < now.taken;
        last = now;
    }
}

int lac_writer_settle(lac_writer *w)
{
    uint64_t samples = w->pending * w->model.frame_samples, before = w->payload_bits;
    int64_t budget = (int64_t)(samples * w->format.channels * w->bitrate / w->model.sample_rate);
    if (w->pending == 0)
        return LAC_OK;
    int64_t repaid = w->carry < -budget / REPAID ? -budget / REPAID : w->carry;
    lac_average_measure(&w->average, w->pending, w->tokens);
    share_out(w, (uint64_t)(budget + repaid));
    lac_average_search(&w->average, w->pending, w->codebooks, w->tokens);
    while (w->pending > 0) {
        int status = lac_writer_put_page(w, w->pending < LAC_PAGE_FRAMES ? w->pending : LAC_PAGE_FRAMES);
        if (status != LAC_OK)
            return status;
    }
    for (uint32_t c = 0; c < w->format.channels; c++)
        memset(w->average.levels[c], 0, LAC_AVERAGE_SLACK * sizeof(int16_t));
    w->carry += budget - (int64_t)(w->payload_bits - before);
    w->carry = w->carry > budget ? budget : w->carry < -budget ? -budget : w->carry;
    return LAC_OK;
}
