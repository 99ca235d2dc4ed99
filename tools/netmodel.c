#include "netmodel.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_DELAY UINT32_MAX

/* What a random number is for; each has a sequence of its own. */
enum purpose { LOSS, JITTER, REORDER, DUPLICATE };

typedef struct slot {
    uint8_t lost;
    uint32_t delay_us; /* NO_DELAY in rows of a trace that have none */
} slot;

struct lac_netmodel {
    lac_net_settings settings;
    double enter, leave;   /* probabilities that a loss begins and ends with the next slot */
    slot *slots;           /* [count]: drawn so far, or the trace */
    size_t count, capacity;
    int is_trace;
    uint64_t free_us;      /* when the bottleneck has sent what it has */
    uint64_t last_us;      /* latest arrival of a packet in order */
    lac_net_statistics statistics;
};

/* SplitMix64 (Steele, Lea, Flood 2014) of a counter. */
static uint64_t scramble(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 <= value < 1 */
static double draw(const lac_netmodel *m, enum purpose purpose, uint64_t number)
{
    uint64_t stream = scramble(m->settings.seed * 4 + (uint64_t)purpose);

    return (double)(scramble(stream + number) >> 11) / 9007199254740992.0;
}

void lac_net_default_settings(lac_net_settings *settings)
{
    memset(settings, 0, sizeof *settings);
    settings->seed = 1;
    settings->queue_ms = 200;
}

static int is_share(double value)
{
    return value >= 0 && value <= 1;
}

static int is_time(double value)
{
    return value >= 0 && value <= 60000;
}

static const char *check(const lac_net_settings *s)
{
    if (!is_share(s->loss) || !is_share(s->reorder) || !is_share(s->duplicate))
        return "loss, reordering and duplicates are 0 to 100 %";
    if (!is_time(s->delay_ms) || !is_time(s->jitter_ms) || !is_time(s->burst_ms) || !is_time(s->queue_ms))
        return "times are 0 to 60000 ms";
    if (!(s->rate_bps >= 0 && s->rate_bps <= 1e12))
        return "the rate is 0 to 1e12 bit/s";
    if (s->burst_ms > 0 && s->burst_ms * 1000 < LAC_NET_SLOT_US)
        return "a loss lasts at least a slot of 20 ms";
    if (s->burst_ms > 0 && s->loss < 1 && s->loss / (1 - s->loss) * LAC_NET_SLOT_US > s->burst_ms * 1000)
        return "so much loss needs longer bursts";
    return NULL;
}

lac_netmodel *lac_netmodel_open(const lac_net_settings *settings, const char **reason)
{
    lac_netmodel *m;

    *reason = check(settings);
    if (*reason)
        return NULL;
    m = calloc(1, sizeof *m);
    if (!m) {
        *reason = "out of memory";
        return NULL;
    }
    m->settings = *settings;
    m->leave = settings->burst_ms > 0 ? LAC_NET_SLOT_US / (settings->burst_ms * 1000) : 1 - settings->loss;
    m->enter = settings->loss < 1 ? m->leave * settings->loss / (1 - settings->loss) : 1;
    if (settings->loss >= 1)
        m->leave = 0;
    return m;
}

void lac_netmodel_close(lac_netmodel **model)
{
    if (!model || !*model)
        return;
    free((*model)->slots);
    free(*model);
    *model = NULL;
}

static int append(lac_netmodel *m, slot s)
{
    if (m->count == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 4096;
        slot *slots = realloc(m->slots, capacity * sizeof *slots);

        if (!slots)
            return -1;
        m->slots = slots;
        m->capacity = capacity;
    }
    m->slots[m->count++] = s;
    return 0;
}

/* The row of a slot. If memory runs out, the slots that are there repeat. */
static slot row_of(lac_netmodel *m, uint64_t number)
{
    slot s = {0, NO_DELAY};

    number %= m->is_trace ? m->count : LAC_NET_MOST_SLOTS;
    while (m->count <= number) {
        double chance = draw(m, LOSS, m->count);
        int was_lost = m->count && m->slots[m->count - 1].lost;

        s.lost = chance < (!m->count ? m->settings.loss : was_lost ? 1 - m->leave : m->enter);
        if (append(m, s))
            return m->count ? m->slots[number % m->count] : s;
    }
    return m->slots[number];
}

int lac_netmodel_is_lost(lac_netmodel *m, uint64_t number)
{
    return row_of(m, number).lost;
}

/* ---- traces ---- */

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static int parse_row(const char *text, slot *s)
{
    char *end;
    double delay;

    if ((text[0] != '0' && text[0] != '1') || (text[1] && !isspace((unsigned char)text[1])))
        return -1;
    s->lost = text[0] == '1';
    s->delay_us = NO_DELAY;
    text = skip_blanks(text + 1);
    if (!*text)
        return 0;
    delay = strtod(text, &end);
    if (end == text || *skip_blanks(end) || !is_time(delay))
        return -1;
    s->delay_us = (uint32_t)llround(delay * 1000);
    return 0;
}

static void skip_rest(const char *line, FILE *trace)
{
    int c = strchr(line, '\n') ? '\n' : 0;

    while (c != '\n' && c != EOF)
        c = getc(trace);
}

long lac_netmodel_load(lac_netmodel *m, FILE *trace)
{
    char line[256];

    m->count = 0;
    m->is_trace = 1;
    for (long row = 1; fgets(line, sizeof line, trace); row++) {
        const char *text = skip_blanks(line);
        slot s;

        skip_rest(line, trace);
        if (!*text || *text == '#')
            continue;
        if (parse_row(text, &s))
            return row;
        if (m->count >= LAC_NET_MOST_SLOTS || append(m, s))
            return -1;
    }
    return m->count ? 0 : -1;
}

int lac_netmodel_save(lac_netmodel *m, FILE *trace, uint64_t slots)
{
    for (uint64_t i = 0; i < slots; i++) {
        slot s = row_of(m, i);

        if (s.delay_us == NO_DELAY)
            fprintf(trace, "%d\n", s.lost);
        else
            fprintf(trace, "%d %.3f\n", s.lost, s.delay_us / 1000.0);
    }
    return ferror(trace) ? -1 : 0;
}

/* ---- packets ---- */

/* When the bottleneck has sent it; 0 if it is dropped. */
static int pass_bottleneck(lac_netmodel *m, const lac_net_packet *p, uint64_t *time_us)
{
    *time_us = p->time_us;
    if (m->settings.rate_bps <= 0)
        return 1;
    if (m->free_us > p->time_us) {
        if ((double)(m->free_us - p->time_us) > m->settings.queue_ms * 1000)
            return 0;
        *time_us = m->free_us;
    }
    *time_us += (uint64_t)llround((double)p->bytes * 8e6 / m->settings.rate_bps);
    m->free_us = *time_us;
    return 1;
}

/* Packets that are to be overtaken wait; all others keep their order. */
static uint64_t arrival(lac_netmodel *m, const lac_net_packet *p, uint64_t time_us, const slot *s)
{
    double delay = m->settings.delay_ms * 1000 + (s->delay_us == NO_DELAY ? 0 : s->delay_us);
    double late = draw(m, REORDER, p->number);

    delay -= log(1 - draw(m, JITTER, p->number)) * m->settings.jitter_ms * 1000;
    time_us += (uint64_t)llround(delay);
    if (late < m->settings.reorder) {
        m->statistics.reordered++;
        return time_us + LAC_NET_SLOT_US + (uint64_t)(late / m->settings.reorder * 2 * LAC_NET_SLOT_US);
    }
    if (time_us < m->last_us)
        time_us = m->last_us;
    m->last_us = time_us;
    return time_us;
}

unsigned lac_netmodel_pass(lac_netmodel *m, const lac_net_packet *p, uint64_t due_us[2])
{
    slot s = row_of(m, p->slot);
    uint64_t time_us;
    double again;

    m->statistics.packets++;
    m->statistics.bytes += p->bytes;
    if (s.lost) {
        m->statistics.lost++;
        return 0;
    }
    if (!pass_bottleneck(m, p, &time_us)) {
        m->statistics.dropped++;
        return 0;
    }
    due_us[0] = arrival(m, p, time_us, &s);
    again = draw(m, DUPLICATE, p->number);
    if (again >= m->settings.duplicate)
        return 1;
    m->statistics.duplicated++;
    due_us[1] = due_us[0] + (uint64_t)(again / m->settings.duplicate * LAC_NET_SLOT_US);
    return 2;
}

void lac_netmodel_get_statistics(const lac_netmodel *m, lac_net_statistics *statistics)
{
    *statistics = m->statistics;
}
