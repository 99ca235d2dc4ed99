/* Byte-pair vocabularies: against the definition, done naively; known examples; everything inverted exactly. */
#include <string.h>

#include "bpe.h"
#include "fixture.h"
#include "lac/status.h"

#define MOST 4000 /* symbols of a random sequence */
#define MERGES 300

static size_t naive_merge(uint32_t *s, size_t n, lac_bpe_merge m, uint32_t symbol)
{
    size_t out = 0;
    for (size_t i = 0; i < n; out++) {
        bool found = i + 1 < n && s[i] == m.left && s[i + 1] == m.right;
        s[out] = found ? symbol : s[i];
        i += found ? 2 : 1;
    }
    return out;
}

static uint32_t naive_count(const uint32_t *s, size_t n, lac_bpe_merge m)
{
    uint32_t count = 0;
    for (size_t i = 0; i + 1 < n; i++)
        count += s[i] == m.left && s[i + 1] == m.right;
    return count;
}

static bool earlier(lac_bpe_merge a, lac_bpe_merge b)
{
    return a.left != b.left ? a.left < b.left : a.right < b.right;
}

/* The definition in bpe.h, word by word. Returns the number of merges. */
static uint32_t naive_train(lac_bpe_merge *merges, uint32_t most, uint32_t codewords, const uint32_t *symbols,
                            size_t n)
{
    static uint32_t s[MOST], length[70000];
    memcpy(s, symbols, n * sizeof *s);
    for (uint32_t i = 0; i <= codewords; i++)
        length[i] = 1;
    for (uint32_t done = 0; done < most; done++) {
        uint32_t best_count = 1;
        lac_bpe_merge best = {0, 0};
        for (size_t i = 0; i + 1 < n; i++) {
            lac_bpe_merge m = {s[i], s[i + 1]};
            if (m.left == codewords || m.right == codewords ||
                length[m.left] + length[m.right] > LAC_BPE_MAX_LENGTH)
                continue;
            uint32_t count = naive_count(s, n, m);
            if (count > best_count || (count == best_count && count > 1 && earlier(m, best))) {
                best_count = count;
                best = m;
            }
        }
        if (best_count < 2)
            return done;
        merges[done] = best;
        length[codewords + 1 + done] = length[best.left] + length[best.right];
        n = naive_merge(s, n, best, codewords + 1 + done);
    }
    return most;
}

/* Applied, compared with the definition, and inverted. */
static void check_apply(const lac_bpe_merge *merges, uint32_t count, uint32_t codewords, const uint32_t *symbols,
                        size_t n)
{
    static uint32_t wanted[MOST], got[MOST], back[MOST];
    lac_bpe *bpe = NULL;
    size_t left = n, length = n;
    memcpy(wanted, symbols, n * sizeof *wanted);
    memcpy(got, symbols, n * sizeof *got);
    for (uint32_t i = 0; i < count; i++)
        left = naive_merge(wanted, left, merges[i], codewords + 1 + i);
    cr_assert_eq(lac_bpe_open(&bpe, codewords, merges, count), LAC_OK);
    cr_assert_eq(lac_bpe_size(bpe), codewords + 1 + count);
    cr_assert_eq(lac_bpe_apply(bpe, got, &length), LAC_OK);
    cr_assert_eq(length, left);
    cr_assert_eq(memcmp(got, wanted, left * sizeof *got), 0);
    cr_assert_eq(lac_bpe_expand(bpe, got, left, back, n, &length), LAC_OK);
    cr_assert_eq(length, n);
    cr_assert_eq(memcmp(back, symbols, n * sizeof *back), 0);
    if (n > 0)
        cr_assert_eq(lac_bpe_expand(bpe, got, left, back, n - 1, &length), LAC_ERROR_SPACE);
    lac_bpe_close(&bpe);
    cr_assert_null(bpe);
}

static uint32_t check(uint32_t codewords, const uint32_t *symbols, size_t n, uint32_t most)
{
    static lac_bpe_merge merges[MERGES], wanted[MERGES];
    uint32_t count = most;
    cr_assert_eq(lac_bpe_train(merges, &count, codewords, symbols, n), LAC_OK);
    cr_assert_eq(count, naive_train(wanted, most, codewords, symbols, n));
    for (uint32_t i = 0; i < count; i++)
        cr_assert(merges[i].left == wanted[i].left && merges[i].right == wanted[i].right,
                  "merge %u: %u %u, not %u %u", i, merges[i].left, merges[i].right,
                  wanted[i].left, wanted[i].right);
    check_apply(merges, count, codewords, symbols, n);
    return count;
}

Test(bpe, the_example_of_the_textbook)
{
    /* aaabdaaabac (Gage 1994): aa, then ab or Za ... by the most places, runs counted at each, lowest symbols first
     * */
    static const uint32_t text[] = {0, 0, 0, 1, 3, 0, 0, 0, 1, 0, 2};
    lac_bpe_merge m[4];
    uint32_t count = 4, s[11];
    size_t n = 11;
    lac_bpe *bpe = NULL;
    cr_assert_eq(lac_bpe_train(m, &count, 4, text, n), LAC_OK);
    cr_assert_eq(count, 3);
    cr_assert(m[0].left == 0 && m[0].right == 0);  /* 5 = aa */
    cr_assert(m[1].left == 0 && m[1].right == 1);  /* 6 = ab */
    cr_assert(m[2].left == 5 && m[2].right == 6);  /* 7 = aaab */
    memcpy(s, text, sizeof s);
    cr_assert_eq(lac_bpe_open(&bpe, 4, m, count), LAC_OK);
    cr_assert_eq(lac_bpe_apply(bpe, s, &n), LAC_OK);
    cr_assert_eq(n, 5);
    cr_assert(s[0] == 7 && s[1] == 3 && s[2] == 7 && s[3] == 0 && s[4] == 2);
    cr_assert_eq(lac_bpe_length(bpe, 7), 4);
    lac_bpe_close(&bpe);
}

Test(bpe, random_sequences)
{
    random_source r = random_start();
    static uint32_t s[MOST];
    static const uint32_t alphabets[] = {1, 2, 3, 5, 16, 60, 1024, 65535};
    for (int round = 0; round < rounds(12); round++) {
        uint32_t codewords = alphabets[random_below(&r, 8)], n = random_below(&r, 400),
            runs = 1 + random_below(&r, 8);
        for (uint32_t i = 0; i < n; i++) /* runs, and gaps if 0 */
            s[i] = i > 0 && random_below(&r, runs) ? s[i - 1] : random_below(&r, codewords + random_below(&r, 2));
        check(codewords, s, n, random_below(&r, 60));
    }
}

Test(bpe, degenerate_sequences)
{
    static uint32_t s[MOST];
    check(4, s, 0, 10);
    cr_assert_eq(check(4, s, 1, 10), 0);
    cr_assert_eq(check(1, s, 2, 10), 0);
    for (size_t n = 3; n < 70; n++)
        check(1, s, n, 10);
    for (size_t i = 0; i < MOST; i++)
        s[i] = 7;
    cr_assert_eq(check(7, s, MOST, 10), 0, "gaps are never merged");
    for (size_t i = 0; i < MOST; i++)
        s[i] = i % 2;
    check(2, s, 3001, 20);
    for (size_t i = 0; i < 300; i++)
        s[i] = (uint32_t)i;
    cr_assert_eq(check(1024, s, 300, 20), 0, "nothing occurs twice");
}

/* 4000 equal ones would double up to 2048 and more. */
Test(bpe, a_symbol_is_never_too_long)
{
    static uint32_t s[MOST];
    lac_bpe_merge m[40];
    uint32_t count = 40;
    lac_bpe *bpe = NULL;
    check(1, s, MOST, 40);
    cr_assert_eq(lac_bpe_train(m, &count, 1, s, MOST), LAC_OK);
    cr_assert_eq(lac_bpe_open(&bpe, 1, m, count), LAC_OK);
    for (uint32_t i = 0; i < lac_bpe_size(bpe); i++)
        cr_assert_leq(lac_bpe_length(bpe, i), LAC_BPE_MAX_LENGTH);
    cr_assert_eq(lac_bpe_length(bpe, 2 + 9), LAC_BPE_MAX_LENGTH);
    lac_bpe_close(&bpe);
}

Test(bpe, vocabularies_that_can_not_be)
{
    static const struct {
        lac_bpe_merge m[3];
        uint32_t count;
        int status;
    } cases[] = {
        {{{0, 1}}, 1, LAC_OK},
        {{{4, 1}}, 1, LAC_ERROR_FORMAT},          /* a gap */
        {{{1, 4}}, 1, LAC_ERROR_FORMAT},
        {{{5, 1}}, 1, LAC_ERROR_FORMAT},          /* itself */
        {{{0, 1}, {1, 6}}, 2, LAC_ERROR_FORMAT},  /* a later one */
        {{{0, 1}, {0, 1}}, 2, LAC_ERROR_FORMAT},  /* twice */
        {{{0, 1}, {5, 5}, {6, UINT32_MAX}}, 3, LAC_ERROR_FORMAT},
        {{{0, 1}, {5, 5}, {6, 5}}, 3, LAC_OK},
    };
    lac_bpe_merge doubling[12];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lac_bpe *bpe = NULL;
        cr_assert_eq(lac_bpe_open(&bpe, 4, cases[i].m, cases[i].count), cases[i].status, "case %zu", i);
        lac_bpe_close(&bpe);
    }
    for (uint32_t i = 0; i < 12; i++)
        doubling[i] = i == 0 ? (lac_bpe_merge){0, 0} : (lac_bpe_merge){4 + i, 4 + i};
    lac_bpe *bpe = NULL;
    cr_assert_eq(lac_bpe_open(&bpe, 4, doubling, 10), LAC_OK);
    uint32_t bad = 15, token;
    size_t count;
    cr_assert_eq(lac_bpe_expand(bpe, &bad, 1, &token, 1, &count), LAC_ERROR_ARGUMENT);
    size_t one = 1;
    cr_assert_eq(lac_bpe_apply(bpe, &bad, &one), LAC_ERROR_ARGUMENT);
    lac_bpe_close(&bpe);
    cr_assert_eq(lac_bpe_open(&bpe, 4, doubling, 11), LAC_ERROR_FORMAT);
    cr_assert_eq(lac_bpe_open(&bpe, 0, doubling, 0), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_bpe_open(&bpe, 65536, doubling, 0), LAC_ERROR_ARGUMENT);
}
