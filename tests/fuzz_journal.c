/* Fuzz target of the lines of journals, which lac synth --resume, --merge, --verify and --report read: rows of
 * manifests made of them must be JSON, what the report counts must be bounded, and its texts harmless. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "reportplot.h"
#include "reportstats.h"
#include "trainerrows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(char *row)
{
    cJSON *json = row ? cJSON_Parse(row) : NULL;

    if (row && !json)
        abort();
    cJSON_Delete(json);
    free(row);
}

/* No text leaves the element or the attribute that it is in. */
static void check_page(const char *text)
{
    char *page = NULL;
    size_t size;
    FILE *out = open_memstream(&page, &size);

    if (!out)
        return;
    lac_report_escape(out, text);
    fclose(out);
    if (strpbrk(page, "<>\"'"))
        abort();
    free(page);
}

static void check_stats(const lac_journal_entry *entry)
{
    lac_plan plan = {.gates = {.speaker_cosine_min = 0.5, .content_distance_max = 0.5, .silent_share_max = 1}};
    lac_report_stats *stats = lac_report_stats_open(&plan);

    if (!stats)
        return;
    for (int i = 0; i < 3; i++)
        lac_report_stats_add(stats, (uint64_t)i / 2, entry);
    if (stats->accepted + stats->rejected != 3 || stats->players.count > 3 || stats->refused.count > 3)
        abort();
    for (size_t i = 0; i < stats->worst.count; i++) {
        check_page(stats->worst.clip[i].text);
        check_page(stats->worst.clip[i].speaker);
    }
    lac_report_stats_close(stats);
}

static void check_entry(const lac_journal_entry *entry)
{
    if (!lac_journal_is_name(entry->key, LAC_JOURNAL_KEY) || (entry->member_count > 0) != (entry->file != NULL) ||
        entry->member_count > LAC_JOURNAL_MEMBERS)
        abort();
    if (entry->file) {
        check_row(lac_nemo_row(entry, 3));
        check_row(lac_lhotse_row(entry, "name-000003.tar"));
    }
    check_stats(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lac_journal_entry entry;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    check_page(text);
    if (lac_journal_parse(&entry, text, size) == 0) {
        check_entry(&entry);
        lac_journal_entry_free(&entry);
    }
    free(text);
    return 0;
}
