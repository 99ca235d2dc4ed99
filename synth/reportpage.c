#include "reportpage.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "reportplot.h"
#include "reportsound.h"
#include "reportstats.h"
#include "textfile.h"

#define SOUND_BYTES   6500000 /* of all players, before base64 makes four thirds of them */
#define LARGEST_PLAN  (16 << 20)
#define SHOWN_PLAN    (1 << 20) /* bytes of it */
#define MOST_SPEAKERS 20

typedef struct page {
    const char *folder;
    lac_set_info set;
    lac_plan plan;
    lac_report_stats *stats;
    FILE *out;
    lac_report_sounds sounds;
    size_t sound_left;
} page;

static const char style[] =
    ":root{color-scheme:light dark}\n"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:1080px;margin:2em auto;padding:0 1em}\n"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}\n"
    "table{border-collapse:collapse}td,th{padding:.2em .7em;text-align:left;border-bottom:1px solid #8884;"
    "vertical-align:top}\n"
    "td.k{white-space:nowrap}td.n{text-align:right;font-variant-numeric:tabular-nums}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:1.5em}\n"
    "figure{margin:0}figcaption{font-weight:600}svg{width:100%}small{opacity:.75}svg "
    "text{font-size:11px;fill:currentColor}\n"
    "rect.accepted,b.accepted{fill:#3b82c4;color:#3b82c4}rect.rejected,b.rejected{fill:#d9663d;color:#d9663d}\n"
    "line.axis{stroke:currentColor}line.limit{stroke:currentColor;stroke-dasharray:4 3}\n"
    "audio{width:260px;height:32px}pre{overflow:auto;border:1px solid #8884;padding:1em}\n"
    ".wide{overflow-x:auto}\n";

/* ---- tables ---- */

static void put_row(page *p, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void put_row(page *p, const char *name, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(p->out, "<tr><th>%s<td>", name);
    lac_report_escape(p->out, text);
    fputc('\n', p->out);
}

static void put_summary(page *p)
{
    const lac_report_stats *s = p->stats;

    fputs("<table>\n", p->out);
    put_row(p, "Outputs asked for", "%" PRIu64, p->set.count);
    put_row(p, "Made", "%" PRIu64, s->outputs);
    put_row(p, "Accepted", "%" PRIu64 " (%.1f %%), %.2f hours", s->accepted,
            s->outputs ? 100.0 * (double)s->accepted / (double)s->outputs : 0, s->seconds / 3600);
    put_row(p, "Rejected", "%" PRIu64, s->rejected);
    put_row(p, "Shards", "%" PRIu64 " of %" PRIu64 " outputs, %s of %s at %u Hz", lac_set_info_shards(&p->set),
            p->set.shard_outputs, lac_set_info_kind_name(p->set.kind), lac_set_info_audio_name(p->set.audio),
            p->set.rate_hz);
    put_row(p, "Plan", "%s, id %s", p->set.name, p->set.plan_id);
    put_row(p, "Models", "codec %s, factors %s; Lac %s", p->set.codec, p->set.factors, p->set.version);
    fputs("</table>\n", p->out);
}

typedef struct counted {
    const char *name;
    uint64_t count;
} counted;

/* Most often met first. */
static int compare_counts(const void *a, const void *b)
{
    const counted *x = a, *y = b;

    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : strcmp(x->name, y->name);
}

/* The `most` names met most often; nothing if there are none. */
static void put_tally(page *p, const char *title, const lac_report_tally *t, size_t most)
{
    counted rows[LAC_REPORT_NAMES];
    uint64_t rest = t->others;

    if (t->names.count == 0)
        return;
    for (uint32_t i = 0; i < t->names.count; i++)
        rows[i] = (counted){t->names.item[i], t->count[i]};
    qsort(rows, t->names.count, sizeof *rows, compare_counts);
    fprintf(p->out, "<h2>%s</h2>\n<div class=\"wide\"><table>\n", title);
    for (uint32_t i = 0; i < t->names.count; i++) {
        if (i >= most) {
            rest += rows[i].count;
            continue;
        }
        fputs("<tr><td>", p->out);
        lac_report_escape(p->out, rows[i].name);
        fprintf(p->out, "<td class=\"n\">%" PRIu64 "\n", rows[i].count);
    }
    if (rest > 0)
        fprintf(p->out, "<tr><td>others<td class=\"n\">%" PRIu64 "\n", rest);
    fputs("</table></div>\n", p->out);
}

static void put_plots(page *p)
{
    fputs("<h2>Distributions</h2>\n<p><b class=\"accepted\">accepted</b>, <b class=\"rejected\">rejected</b>; a "
          "dashed "
          "line is the plan's threshold.</p>\n<div class=\"plots\">\n",
          p->out);
    for (int i = 0; i < LAC_REPORT_NUMBERS; i++)
        lac_report_plot(p->out, &lac_report_quantities[i], &p->stats->histogram[i],
                        lac_report_threshold(&p->plan, (enum lac_report_number)i));
    fputs("</div>\n", p->out);
}

/* ---- outputs ---- */

static void put_player(page *p, const lac_report_clip *clip)
{
    const char *type;
    size_t size;
    uint8_t *bytes = lac_report_sound(&p->sounds, clip, p->sound_left, &size, &type);

    if (!bytes) {
        fputs("<small>not here: unreadable, or too long for this page</small>", p->out);
        return;
    }
    fprintf(p->out, "<audio controls preload=\"none\" src=\"data:%s;base64,", type);
    lac_report_base64(p->out, bytes, size);
    fputs("\"></audio>", p->out);
    p->sound_left -= size;
    free(bytes);
}

static void put_number(page *p, double value)
{
    if (isnan(value))
        fputs("<td class=\"n\">", p->out);
    else
        fprintf(p->out, "<td class=\"n\">%.3g", value);
}

static void put_clip(page *p, const lac_report_clip *clip, bool player)
{
    static const int shown[] = {LAC_REPORT_DURATION, LAC_REPORT_COSINE, LAC_REPORT_DISTANCE, LAC_REPORT_SNR,
                                LAC_REPORT_SILENT};

    fprintf(p->out, "<tr><td class=\"k\">%s<td>", clip->key);
    if (player)
        put_player(p, clip);
    else
        lac_report_escape(p->out, clip->reason);
    fputs("<td>", p->out);
    lac_report_escape(p->out, clip->speaker);
    fputs("<td>", p->out);
    lac_report_escape(p->out, clip->text);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        put_number(p, clip->number[shown[i]]);
    fputc('\n', p->out);
}

static int compare_indices(const void *a, const void *b)
{
    const lac_report_clip *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

static void put_list(page *p, const char *title, const lac_report_list *list, bool player)
{
    if (list->count == 0)
        return;
    fprintf(p->out,
            "<h2>%s</h2>\n<div class=\"wide\"><table>\n<tr><th>Key<th>%s<th>Speaker<th>Text<th>Seconds"
            "<th>Cosine<th>Content<th>SNR<th>Silence\n",
            title, player ? "Sound" : "Why");
    for (size_t i = 0; i < list->count; i++)
        put_clip(p, &list->clip[i], player);
    fputs("</table></div>\n", p->out);
}

static void put_lists(page *p)
{
    lac_report_list *players = &p->stats->players;

    if (players->count > 0)
        qsort(players->clip, players->count, sizeof *players->clip, compare_indices);
    put_list(p, "Players: accepted outputs, drawn at random", players, true);
    put_list(p, "The worst of the accepted, nearest to a threshold first", &p->stats->worst, true);
    put_tally(p, "Gates that rejected", &p->stats->gates, SIZE_MAX);
    put_list(p, "Rejected", &p->stats->refused, false);
    if (p->stats->rejected > p->stats->refused.count)
        fprintf(p->out, "<p>And %" PRIu64 " more, in rejected.jsonl once the shards are merged.</p>\n",
                p->stats->rejected - p->stats->refused.count);
}

/* ---- the page ---- */

static void put_plan(page *p)
{
    size_t size = p->plan.size < SHOWN_PLAN ? p->plan.size : SHOWN_PLAN;
    char *text = strndup((const char *)p->plan.bytes, size);

    fputs("<h2>The plan</h2>\n<pre>", p->out);
    lac_report_escape(p->out, text ? text : "");
    fputs(size < p->plan.size ? "\n...</pre>\n" : "</pre>\n", p->out);
    free(text);
}

static void put_page(page *p)
{
    fprintf(
        p->out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width\">\n<title>%s</title>\n<style>\n%s</style>\n<h1>%s: synthetic speech</h1>\n",
        p->set.name, style, p->set.name);
    put_summary(p);
    put_plots(p);
    put_lists(p);
    fprintf(p->out, "<p>%" PRIu32 "%s different speakers.</p>\n", p->stats->speakers.names.count,
            p->stats->speakers.others ? " or more" : "");
    put_tally(p, "Outputs of a speaker", &p->stats->speakers, MOST_SPEAKERS);
    put_tally(p, "Where factors come from", &p->stats->kinds, SIZE_MAX);
    put_tally(p, "Simulation", &p->stats->effects, SIZE_MAX);
    put_tally(p, "Licences", &p->stats->licences, SIZE_MAX);
    put_tally(p, "What follows from them", &p->stats->terms, SIZE_MAX);
    put_tally(p, "Who is to be named", &p->stats->attributions, SIZE_MAX);
    put_plan(p);
    fputs("</html>\n", p->out);
}

static int take_output(void *user, uint64_t shard, const lac_journal_entry *entry)
{
    page *p = user;

    lac_report_stats_add(p->stats, shard, entry);
    return 0;
}

static int read_plan(page *p, char *reason)
{
    char path[4096];
    uint8_t *bytes = malloc(LARGEST_PLAN);
    FILE *file = NULL;
    int failed = -1;

    if (bytes && snprintf(path, sizeof path, "%s/plan.yaml", p->folder) < (int)sizeof path)
        file = fopen(path, "rb");
    if (file) {
        failed = lac_plan_parse(&p->plan, bytes, fread(bytes, 1, LARGEST_PLAN, file), path, reason);
        fclose(file);
    } else {
        snprintf(reason, LAC_PLAN_REASON, "%.400s/plan.yaml: %s", p->folder, strerror(bytes ? errno : ENOMEM));
    }
    free(bytes);
    return failed;
}

static int write_page(page *p, char *reason)
{
    lac_textfile text;

    p->stats = lac_report_stats_open(&p->plan);
    if (!p->stats) {
        snprintf(reason, LAC_PLAN_REASON, "out of memory");
        return -1;
    }
    if (lac_journal_walk(&p->set, p->folder, take_output, p, reason) ||
        lac_textfile_open(&text, p->folder, "report.html", reason))
        return -1;
    p->out = text.file;
    p->sounds = (lac_report_sounds){.set = &p->set, .folder = p->folder};
    p->sound_left = SOUND_BYTES;
    put_page(p);
    lac_model_close(&p->sounds.model);
    return lac_textfile_commit(&text, reason);
}

int lac_reportpage_write(const char *folder, char *reason)
{
    page p = {.folder = folder};
    int failed = lac_set_info_read(&p.set, folder, reason);

    if (failed) {
        if (failed > 0)
            snprintf(reason, LAC_PLAN_REASON, "%.400s: no data set: it has no synth.json", folder);
        return -1;
    }
    failed = read_plan(&p, reason) || write_page(&p, reason);
    if (p.stats)
        lac_report_stats_close(p.stats);
    lac_plan_close(&p.plan);
    return failed ? -1 : 0;
}
