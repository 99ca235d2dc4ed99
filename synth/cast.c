#include "cast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "licence.h"
#include "names.h"

/* Roles of a row, as bits. */
enum role { CONTENT = 1, VOICE = 2, STYLE = 4, ENVIRONMENT = 8, CHANNEL = 16, NOISE = 32 };

/* A condition of the plan, and which of its values some row had. */
typedef struct filter {
    const char *key;
    const lac_where *where;
    enum role role;
    bool *seen;
} filter;

#define FILTERS 6

typedef struct worker {
    const lac_plan *plan;
    const lac_manifest *manifest;
    lac_cast *cast;
    lac_names speakers, texts, never;
    uint8_t *roles; /* [rows] */
    uint32_t *text; /* [rows], for a balance of texts */
    float *seconds; /* [rows], negative: not told */
    filter filters[FILTERS];
    char *reason;
} worker;

static int no_memory(const worker *w)
{
    return lac_plan_fail(w->plan, "", w->reason, "out of memory");
}

/* ---- conditions ---- */

static size_t values_in(const lac_where *where)
{
    size_t count = 0;

    for (size_t i = 0; i < where->count; i++)
        count += where->item[i].values.count;
    return count;
}

static int set_filters(worker *w)
{
    const lac_plan *p = w->plan;
    const filter filters[FILTERS] = {
        {"content.where", &p->content.where, CONTENT, NULL},
        {"speaker.where", &p->speaker.where, VOICE, NULL},
        {"style.where", &p->style.where, STYLE, NULL},
        {"environment.where", &p->environment.where, ENVIRONMENT, NULL},
        {"channel.where", &p->channel.where, CHANNEL, NULL},
        {"simulate.noise.where", &p->simulate.noise_where, NOISE, NULL},
    };

    memcpy(w->filters, filters, sizeof filters);
    for (size_t i = 0; i < FILTERS; i++) {
        w->filters[i].seen = calloc(values_in(filters[i].where) + 1, sizeof(bool));
        if (!w->filters[i].seen)
            return no_memory(w);
    }
    return 0;
}

/* Whether the row fits all conditions; values that it has are marked in any case. */
static bool fits(const filter *f, const lac_manifest_row *row)
{
    bool *seen = f->seen, all = true;

    for (size_t i = 0; i < f->where->count; i++) {
        const lac_condition *condition = &f->where->item[i];
        char number[LAC_MANIFEST_NUMBER];
        const char *text = lac_manifest_field(row, condition->field, number);
        bool any = false;

        for (size_t k = 0; k < condition->values.count; k++)
            if (strcmp(condition->values.item[k], text) == 0)
                any = seen[k] = true;
        seen += condition->values.count;
        all = all && any;
    }
    return all;
}

/* A value that no row has is most likely misspelt. */
static int check_filter(const worker *w, const filter *f)
{
    const bool *seen = f->seen;

    for (size_t i = 0; i < f->where->count; i++)
        for (size_t k = 0; k < f->where->item[i].values.count; k++)
            if (!*seen++)
                return lac_plan_fail(w->plan, f->key, w->reason, "no row of %s has %s %s", w->manifest->name,
                                     f->where->item[i].field, f->where->item[i].values.item[k]);
    return 0;
}

/* ---- rows ---- */

static bool is_allowed(worker *w, const lac_manifest_row *row)
{
    const lac_texts *licences = &w->plan->constraints.licences;
    int consent = lac_manifest_consent(row, w->plan->constraints.consent_field);
    bool never = row->speaker && lac_names_find(&w->never, row->speaker) != LAC_NAMES_NONE;
    bool refused = consent == 0 || (consent < 0 && w->plan->constraints.require_consent);
    bool unlicensed = licences->count > 0 && !lac_licence_is_among(row->licence, licences->item, licences->count);

    w->cast->never += never;
    w->cast->refused += !never && refused;
    w->cast->unlicensed += !never && !refused && unlicensed;
    return !never && !refused && !unlicensed;
}

/* Roles that the plan has use for. */
static unsigned wanted(const lac_plan *p)
{
    unsigned roles = CONTENT;

    if (p->speaker.seed + p->speaker.mixed > 0)
        roles |= VOICE;
    if (p->style.seed > 0)
        roles |= STYLE;
    if (p->environment.seed > 0)
        roles |= ENVIRONMENT;
    if (p->channel.seed > 0)
        roles |= CHANNEL;
    if (p->simulate.noise.probability > 0 && p->simulate.noise_where.count > 0)
        roles |= NOISE;
    return roles;
}

/* Noise is neither content nor anybody's. */
static unsigned roles_of(worker *w, const lac_manifest_row *row)
{
    unsigned roles = 0, use = wanted(w->plan);

    for (size_t i = 0; i < FILTERS; i++)
        if (fits(&w->filters[i], row) && (use & w->filters[i].role))
            roles |= w->filters[i].role;
    if (roles & NOISE)
        roles &= ~(unsigned)(CONTENT | VOICE | STYLE);
    if (!row->speaker)
        roles &= ~(unsigned)VOICE;
    return is_allowed(w, row) ? roles : 0;
}

static int check_there(worker *w, const lac_manifest_row *row)
{
    char *path = lac_manifest_path(w->manifest, row->path);
    struct stat st;

    if (!path)
        return no_memory(w);
    bool missing = stat(path, &st) != 0 || !S_ISREG(st.st_mode);
    w->cast->missing += missing;
    if (missing && !w->cast->missing_path)
        w->cast->missing_path = path;
    else
        free(path);
    return 0;
}

static int take_row(worker *w, uint32_t i)
{
    lac_manifest_row row;
    int failed = lac_manifest_read(w->manifest, i, &row, w->reason);

    if (failed)
        return failed;
    w->roles[i] = (uint8_t)roles_of(w, &row);
    w->seconds[i] = (float)row.seconds;
    w->cast->speaker[i] = LAC_CAST_NOBODY;
    if (w->roles[i] && row.speaker) {
        w->cast->speaker[i] = lac_names_add(&w->speakers, row.speaker);
        failed = w->cast->speaker[i] == LAC_NAMES_NONE ? no_memory(w) : 0;
    }
    if (w->plan->content.balance == LAC_BALANCE_TEXT) {
        w->text[i] = lac_names_add(&w->texts, row.text ? row.text : "");
        failed = w->text[i] == LAC_NAMES_NONE ? no_memory(w) : failed;
    }
    if (!failed && w->roles[i])
        failed = check_there(w, &row);
    lac_manifest_row_free(&row);
    return failed;
}

static int take_rows(worker *w)
{
    uint32_t rows = w->cast->rows = w->manifest->rows;
    int failed = 0;

    w->roles = calloc(rows, 1);
    w->text = calloc(rows, sizeof *w->text);
    w->seconds = calloc(rows, sizeof *w->seconds);
    w->cast->speaker = calloc(rows, sizeof *w->cast->speaker);
    if (!w->roles || !w->text || !w->seconds || !w->cast->speaker)
        return no_memory(w);
    for (size_t i = 0; i < w->plan->constraints.never_speakers.count; i++)
        if (lac_names_add(&w->never, w->plan->constraints.never_speakers.item[i]) == LAC_NAMES_NONE)
            return no_memory(w);
    for (uint32_t i = 0; i < rows && !failed; i++)
        failed = take_row(w, i);
    for (size_t i = 0; i < FILTERS && !failed; i++)
        failed = check_filter(w, &w->filters[i]);
    w->cast->speakers = w->speakers.count;
    return failed;
}

/* ---- lists ---- */

static int list(const worker *w, lac_rows *out, enum role role)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->cast->rows; i++)
        count += (w->roles[i] & role) != 0;
    out->item = calloc((size_t)count + 1, sizeof *out->item);
    if (!out->item)
        return no_memory(w);
    for (uint32_t i = 0; i < w->cast->rows; i++)
        if (w->roles[i] & role)
            out->item[out->count++] = i;
    return 0;
}

/* Rows with one of `roles`, in groups by number[row]; those of no number are left out. Groups without rows fall
 * away. */
static int group(const worker *w, lac_grouped *out, unsigned roles, const uint32_t *number, uint32_t numbers)
{
    uint32_t rows = w->cast->rows, at = 0, groups = 0;
    uint32_t *start = calloc((size_t)numbers + 1, sizeof *start);
    uint32_t *next = calloc((size_t)numbers + 1, sizeof *next);

    out->row = calloc((size_t)rows + 1, sizeof *out->row);
    out->start = start;
    if (!start || !next || !out->row) {
        free(next);
        return no_memory(w);
    }
    for (uint32_t i = 0; i < rows; i++)
        if ((w->roles[i] & roles) && number[i] < numbers)
            next[number[i]]++;
    for (uint32_t g = 0; g < numbers; g++) {
        uint32_t size = next[g];

        next[g] = at;
        if (size > 0)
            start[groups++] = at;
        at += size;
    }
    start[groups] = at;
    for (uint32_t i = 0; i < rows; i++)
        if ((w->roles[i] & roles) && number[i] < numbers)
            out->row[next[number[i]]++] = i;
    out->groups = groups;
    free(next);
    return 0;
}

/* Rows of content without a speaker are of one group together. */
static int group_content(worker *w)
{
    uint32_t *number = calloc((size_t)w->cast->rows + 1, sizeof *number);
    int balance = w->plan->content.balance, failed;
    uint32_t nobody = w->speakers.count;

    if (!number)
        return no_memory(w);
    for (uint32_t i = 0; i < w->cast->rows; i++) {
        if (balance == LAC_BALANCE_SPEAKER)
            number[i] = w->cast->speaker[i] == LAC_CAST_NOBODY ? nobody : w->cast->speaker[i];
        else
            number[i] = balance == LAC_BALANCE_TEXT ? w->text[i] : 0;
    }
    failed = group(w, &w->cast->content, CONTENT, number,
                   balance == LAC_BALANCE_SPEAKER ? nobody + 1
                   : balance == LAC_BALANCE_TEXT  ? w->texts.count
                                                  : 1);
    free(number);
    return failed;
}

static int find_voices(const worker *w)
{
    lac_cast *c = w->cast;

    c->voice_of = calloc((size_t)c->speakers + 1, sizeof *c->voice_of);
    if (!c->voice_of)
        return no_memory(w);
    for (uint32_t i = 0; i < c->speakers; i++)
        c->voice_of[i] = LAC_CAST_NOBODY;
    for (uint32_t g = 0; g < c->voices.groups; g++)
        c->voice_of[c->speaker[c->voices.row[c->voices.start[g]]]] = g;
    return 0;
}

static int make_lists(worker *w)
{
    lac_cast *c = w->cast;
    int failed = group_content(w);

    if (!failed)
        failed = group(w, &c->voices, VOICE, c->speaker, c->speakers);
    if (!failed)
        failed = find_voices(w);
    if (!failed)
        failed = group(w, &c->people, CONTENT | VOICE | STYLE, c->speaker, c->speakers);
    if (!failed)
        failed = list(w, &c->styles, STYLE);
    if (!failed)
        failed = list(w, &c->environments, ENVIRONMENT);
    if (!failed)
        failed = list(w, &c->channels, CHANNEL);
    return failed ? failed : list(w, &c->noises, NOISE);
}

/* ---- contradictions between plan and manifest ---- */

static int check_roles(const worker *w)
{
    const lac_cast *c = w->cast;
    const lac_plan *p = w->plan;
    const struct {
        const char *key;
        bool wanted;
        uint32_t there, needed;
    } roles[] = {
        {"content", true, c->content.groups, 1},
        {"speaker.seed", p->speaker.seed > 0, c->voices.groups, 1},
        {"speaker.mixed", p->speaker.mixed > 0, c->voices.groups, 2},
        {"style.seed", p->style.seed > 0, c->styles.count, 1},
        {"environment.seed", p->environment.seed > 0, c->environments.count, 1},
        {"channel.seed", p->channel.seed > 0, c->channels.count, 1},
        {"simulate.noise", p->simulate.noise.probability > 0 && p->simulate.noise_files.count == 0, c->noises.count,
         1},
    };

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (roles[i].wanted && roles[i].there < roles[i].needed)
            return lac_plan_fail(p, roles[i].key, w->reason,
                                 "%s has too few rows for it (%u never to be used, %u without consent, %u of other "
                                 "licences)",
                                 w->manifest->name, c->never, c->refused, c->unlicensed);
    return 0;
}

/* Seconds of all content; false if some row does not tell them. */
static bool add_seconds(worker *w)
{
    lac_cast *c = w->cast;
    bool all = true;

    for (uint32_t i = 0; i < c->content.start[c->content.groups]; i++) {
        float seconds = w->seconds[c->content.row[i]];

        all = all && seconds > 0;
        c->content_s += seconds > 0 ? (double)seconds : 0;
    }
    return all;
}

static int count_outputs(worker *w)
{
    const lac_plan *p = w->plan;
    lac_cast *c = w->cast;
    double rows = c->content.start[c->content.groups], count = (double)p->count;
    bool known = add_seconds(w);

    if (p->hours > 0 && !known)
        return lac_plan_fail(p, "hours", w->reason, "not every row of %s tells its seconds; give count",
                             w->manifest->name);
    if (p->hours > 0)
        count = ceil(p->hours * 3600 / (c->content_s / rows));
    else if (p->multiply > 0)
        count = ceil(p->multiply * rows);
    if (count > (double)LAC_PLAN_MAX_OUTPUTS)
        return lac_plan_fail(p, p->hours > 0 ? "hours" : "multiply", w->reason,
                             "are %.0f outputs; at most %llu can be", count,
                             (unsigned long long)LAC_PLAN_MAX_OUTPUTS);
    c->count = (uint64_t)count;
    return 0;
}

/* The row that is used most is in the smallest group. */
static int check_uses(const worker *w)
{
    const lac_grouped *g = &w->cast->content;
    uint64_t limit = w->plan->constraints.max_per_source;
    uint64_t each = (w->cast->count + g->groups - 1) / g->groups;

    for (uint32_t i = 0; i < g->groups && limit > 0; i++) {
        uint64_t size = g->start[i + 1] - g->start[i], uses = (each + size - 1) / size;

        if (uses > limit)
            return lac_plan_fail(w->plan, "constraints.max_per_source", w->reason,
                                 "%llu outputs need some source %llu times", (unsigned long long)w->cast->count,
                                 (unsigned long long)uses);
    }
    return 0;
}

int lac_cast_open(lac_cast *cast, const lac_plan *plan, const lac_manifest *manifest, char *reason)
{
    worker w = {.plan = plan, .manifest = manifest, .cast = cast, .reason = reason};
    int failed;

    *cast = (lac_cast){0};
    failed = set_filters(&w);
    if (!failed)
        failed = take_rows(&w);
    if (!failed)
        failed = make_lists(&w);
    if (!failed)
        failed = check_roles(&w);
    if (!failed)
        failed = count_outputs(&w);
    if (!failed)
        failed = check_uses(&w);
    for (size_t i = 0; i < FILTERS; i++)
        free(w.filters[i].seen);
    lac_names_free(&w.speakers);
    lac_names_free(&w.texts);
    lac_names_free(&w.never);
    free(w.roles);
    free(w.text);
    free(w.seconds);
    return failed;
}

static void free_grouped(lac_grouped *g)
{
    free(g->row);
    free(g->start);
}

void lac_cast_close(lac_cast *c)
{
    free_grouped(&c->content);
    free_grouped(&c->voices);
    free_grouped(&c->people);
    free(c->styles.item);
    free(c->environments.item);
    free(c->channels.item);
    free(c->noises.item);
    free(c->speaker);
    free(c->voice_of);
    free(c->missing_path);
    *c = (lac_cast){0};
}
