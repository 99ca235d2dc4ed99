#include "netsim.h"

#include <string.h>

#include "rng.h"

#define HEADERS 40 /* bytes of IP, UDP and RTP */

void netsim_start(netsim *sim, const netsim_settings *settings)
{
    memset(sim, 0, sizeof *sim);
    sim->settings = *settings;
    sim->random = settings->seed << 32;
}

/* 0 .. n - 1 */
static uint32_t below(netsim *sim, uint32_t n)
{
    return (uint32_t)((uint64_t)lac_hash32(sim->random++) * n >> 32);
}

static bool chance(netsim *sim, uint32_t millionths)
{
    return below(sim, 1000000) < millionths;
}

/* Everything is lost in the bad state, nothing in the good one. Bursts are longer where so many losses need it. */
static bool is_lost(netsim *sim)
{
    const netsim_settings *s = &sim->settings;
    uint64_t leave = 1000000 / (s->burst > 0 ? s->burst : 1), kept = 1000000 - s->loss, enter = 1000000;
    if (leave * s->loss > kept * 1000000)
        leave = kept * 1000000 / s->loss;
    else
        enter = leave * s->loss / (kept > 0 ? kept : 1);
    sim->bad = sim->bad ? !chance(sim, (uint32_t)leave) : chance(sim, (uint32_t)enter);
    return sim->bad;
}

static void deliver(netsim *sim, const netsim_packet *packet, uint64_t arrival_us)
{
    if (sim->count == NETSIM_ROOM) {
        sim->lost++;
        return;
    }
    netsim_packet *p = &sim->packets[sim->count++];
    *p = *packet;
    p->arrival_us = arrival_us;
    p->order = sim->orders++;
}

uint64_t netsim_clock(const netsim *sim, uint64_t send_us)
{
    int64_t us = (int64_t)send_us, ppm = sim->settings.drift_ppm;
    return (uint64_t)(us + us / 1000000 * ppm + us % 1000000 * ppm / 1000000);
}

void netsim_send(netsim *sim, uint64_t send_us, const netsim_packet *packet)
{
    const netsim_settings *s = &sim->settings;
    uint64_t at = netsim_clock(sim, send_us);
    sim->sent++;
    sim->free_us = sim->free_us > at ? sim->free_us : at;
    if (is_lost(sim) || (s->rate > 0 && sim->free_us - at > s->queue_us)) {
        sim->lost++;
        return;
    }
    if (s->rate > 0)
        at = sim->free_us += (packet->size + HEADERS) * UINT64_C(8000000) / s->rate;
    at += s->delay_us + below(sim, s->jitter_us + 1);
    if (chance(sim, s->reorder)) {
        deliver(sim, packet, at + below(sim, s->reorder_us + 1));
        return;
    }
    sim->last_us = sim->last_us > at ? sim->last_us : at;
    deliver(sim, packet, sim->last_us);
    if (chance(sim, s->duplicate))
        deliver(sim, packet, sim->last_us + below(sim, s->reorder_us + 1));
}

bool netsim_receive(netsim *sim, uint64_t now_us, netsim_packet *packet)
{
    size_t first = 0;
    for (size_t i = 1; i < sim->count; i++) {
        const netsim_packet *p = &sim->packets[i], *f = &sim->packets[first];
        if (p->arrival_us < f->arrival_us || (p->arrival_us == f->arrival_us && p->order < f->order))
            first = i;
    }
    if (sim->count == 0 || sim->packets[first].arrival_us > now_us)
        return false;
    *packet = sim->packets[first];
    sim->packets[first] = sim->packets[--sim->count];
    return true;
}

lac_rtp netsim_rtp(const netsim_packet *packet)
{
    return (lac_rtp){packet->timestamp, packet->sequence, packet->marker, packet->data, packet->size};
}
