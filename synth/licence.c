#include "licence.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BY LAC_LICENCE_ATTRIBUTION
#define SA LAC_LICENCE_SHARE_ALIKE
#define NC LAC_LICENCE_NON_COMMERCIAL
#define ND LAC_LICENCE_NO_DERIVATIVES

/* A licence and the words that a text of it begins with, in small letters, anything but letters, digits and dots
 * being a space. The first row that fits counts: longer ones stand before those that they begin with. */
static const struct row {
    lac_licence licence;
    const char *begins;
} rows[] = {
    {{"CC0-1.0", 0}, "cc0"},
    {{"CC0-1.0", 0}, "cc zero"},
    {{"LicenseRef-public-domain", 0}, "public domain"},
    {{"LicenseRef-public-domain", 0}, "publicdomain"},
    {{"LicenseRef-public-domain", 0}, "pd"},
    {{"Unlicense", 0}, "unlicense"},
    {{"CC-BY-NC-ND-4.0", BY | NC | ND}, "cc by nc nd 4.0"},
    {{"CC-BY-NC-ND-3.0", BY | NC | ND}, "cc by nc nd 3.0"},
    {{"CC-BY-NC-SA-4.0", BY | NC | SA}, "cc by nc sa 4.0"},
    {{"CC-BY-NC-SA-3.0", BY | NC | SA}, "cc by nc sa 3.0"},
    {{"CC-BY-NC-4.0", BY | NC}, "cc by nc 4.0"},
    {{"CC-BY-NC-3.0", BY | NC}, "cc by nc 3.0"},
    {{"CC-BY-ND-4.0", BY | ND}, "cc by nd 4.0"},
    {{"CC-BY-ND-3.0", BY | ND}, "cc by nd 3.0"},
    {{"CC-BY-SA-4.0", BY | SA}, "cc by sa 4.0"},
    {{"CC-BY-SA-3.0", BY | SA}, "cc by sa 3.0"},
    {{"CC-BY-4.0", BY}, "cc by 4.0"},
    {{"CC-BY-3.0", BY}, "cc by 3.0"},
    {{"CC-BY-2.0", BY}, "cc by 2.0"},
    {{"Apache-2.0", BY}, "apache 2.0"},
    {{"Apache-2.0", BY}, "apache license 2.0"},
    {{"MIT", BY}, "mit"},
    {{"BSD-2-Clause", BY}, "bsd 2 clause"},
    {{"BSD-3-Clause", BY}, "bsd 3 clause"},
    {{"LicenseRef-CMU-AN4", BY}, "cmu an4"},
    {{"GPL-2.0-or-later", BY | SA}, "gpl 2.0 or later"},
    {{"GPL-2.0-only", BY | SA}, "gpl 2.0"},
    {{"GPL-3.0-or-later", BY | SA}, "gpl 3.0 or later"},
    {{"GPL-3.0-only", BY | SA}, "gpl 3.0"},
    {{"LicenseRef-LDC", BY | NC | ND}, "ldc"},
};
#define ROWS (sizeof rows / sizeof *rows)

static const lac_licence unknown = {"unknown", LAC_LICENCE_UNKNOWN};

/* Small letters and single spaces. */
static void normalise(const char *text, char *out, size_t size)
{
    size_t used = 0;

    for (; *text && used + 2 < size; text++) {
        unsigned char c = (unsigned char)*text;

        if (isalnum(c) || c == '.')
            out[used++] = (char)tolower(c);
        else if (used > 0 && out[used - 1] != ' ')
            out[used++] = ' ';
    }
    out[used] = 0;
}

static bool begins(const char *text, const char *words)
{
    size_t size = strlen(words);

    return strncmp(text, words, size) == 0 && !isalnum((unsigned char)text[size]);
}

/* Row, or ROWS. The first of several that all count is not enough. */
static size_t find(const char *text)
{
    char words[96];
    size_t i = ROWS;

    if (text && !strstr(text, " AND ")) {
        normalise(text, words, sizeof words);
        for (i = 0; i < ROWS && !begins(words, rows[i].begins); i++)
            ;
    }
    return i;
}

const lac_licence *lac_licence_find(const char *text)
{
    size_t row = find(text);

    return row < ROWS ? &rows[row].licence : &unknown;
}

bool lac_licence_is_among(const char *text, char *const *allowed, size_t count)
{
    const lac_licence *licence = lac_licence_find(text);

    for (size_t i = 0; i < count; i++)
        if ((text && strcmp(text, allowed[i]) == 0) ||
            (licence != &unknown && strcmp(licence->name, lac_licence_find(allowed[i])->name) == 0) ||
            (licence != &unknown && strcmp(licence->name, allowed[i]) == 0))
            return true;
    return false;
}

static void join(char *out, size_t size, const char *between, const char *text)
{
    size_t used = strlen(out);

    snprintf(out + used, size - used, "%s%s", used ? between : "", text);
}

/* Names in the table's order, each once; those that ask for nothing only if there are no others. */
static void name_all(lac_licence_sum *sum, uint64_t found, bool free_too)
{
    const char *last = "";

    for (size_t i = 0; i < ROWS; i++) {
        const lac_licence *licence = &rows[i].licence;

        if (!(found >> i & 1) || (licence->duties == 0 && !free_too) || strcmp(licence->name, last) == 0)
            continue;
        join(sum->name, sizeof sum->name, " AND ", licence->name);
        last = licence->name;
    }
}

static unsigned count_share_alike(uint64_t found)
{
    unsigned count = 0;

    for (size_t i = 0; i < ROWS; i++)
        count += (found >> i & 1) && (rows[i].licence.duties & SA);
    return count;
}

static void tell_terms(lac_licence_sum *sum, unsigned share_alike)
{
    static const struct {
        unsigned duty;
        const char *text;
    } terms[] = {
        {LAC_LICENCE_UNKNOWN, "A source's licence is unknown: ask before passing this on."},
        {ND, "A source's licence forbids passing on what is made of it."},
        {NC, "Not for commercial use."},
        {SA, "Passed on only under the same licence."},
        {BY, "Name the sources as in attribution, and say that it was changed."},
    };

    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        if (sum->duties & terms[i].duty)
            join(sum->terms, sizeof sum->terms, " ", terms[i].text);
    if (share_alike > 1)
        join(sum->terms, sizeof sum->terms, " ", "Two licences each ask for themselves alone: they contradict.");
    if (sum->duties == 0)
        join(sum->terms, sizeof sum->terms, " ", "Free for any use.");
}

_Static_assert(ROWS <= 64, "a bit each");

void lac_licence_add_up(lac_licence_sum *sum, const char *const *texts, size_t count)
{
    uint64_t found = 0;

    *sum = (lac_licence_sum){.duties = count ? 0 : LAC_LICENCE_UNKNOWN};
    for (size_t i = 0; i < count; i++) {
        size_t row = find(texts[i]);

        sum->duties |= row < ROWS ? rows[row].licence.duties : LAC_LICENCE_UNKNOWN;
        if (row < ROWS)
            found |= UINT64_C(1) << row;
    }
    if (sum->duties & LAC_LICENCE_UNKNOWN)
        join(sum->name, sizeof sum->name, "", unknown.name);
    else
        name_all(sum, found, sum->duties == 0);
    tell_terms(sum, count_share_alike(found));
}
