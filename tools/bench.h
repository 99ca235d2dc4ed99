/* What the parts of `lac bench` share. Each measure returns 0, or an exit status after a message. */
#ifndef LAC_TOOLS_BENCH_H
#define LAC_TOOLS_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "lac/decoder.h"
#include "lac/encoder.h"
#include "lac/model.h"

#define LAC_BENCH_FILE_BLOCK 64 /* latent frames worked on together where latency doesn't matter */

typedef struct lac_bench {
    const char *path, *model_name;
    double kbps;
    uint32_t threads;         /* 0: not given */
    uint32_t streams;         /* 0: none */
    uint32_t receivers;       /* 0: none; never with streams */
    double seconds;           /* of --streams or --receivers */
    int json;

    lac_model *model;
    lac_model_info info;
    uint32_t codebooks, beam;
    uint32_t channels;
    float *pcm;               /* [frames][channels] at the model's rate */
    size_t frames, room;      /* sample frames there are, and that fit */
    float *mono;              /* [room], the first channel, then silence; a block of latent frames at least */
} lac_bench;

/* Fills channels, pcm, frames and mono: of the file, or made up. The caller frees pcm and mono. */
int lac_bench_load(lac_bench *b);

/* Threads for one file or stream. */
uint32_t lac_bench_threads(const lac_bench *b);

/* `lac bench factors`, argv from "factors" on: an exit status. */
int lac_bench_factors(int argc, char **argv);

/* ---- files and one stream ---- */

typedef struct lac_bench_speed {
    double encode, decode;     /* seconds for the file, all channels */
    double encoder, decoder;   /* seconds for one mono stream in large blocks */
    double frame_ms[3];        /* p50, p95, p99 of one frame, encoder and decoder */
    size_t stream_bytes;       /* of both, for single frames */
} lac_bench_speed;

int lac_bench_run(const lac_bench *b, lac_bench_speed *speed);

/* Of sorted values: the least that `part` of them do not exceed; 0 of none. */
double lac_bench_percentile(const double *sorted, size_t count, double part);
void lac_bench_sort(double *values, size_t count);

/* ---- the machine ---- */

typedef struct lac_bench_machine {
    const char *instruction;   /* of the peak */
    double gmacs;              /* 10^9 multiply-accumulates a second of int16 pairs into int32, from registers */
    double l2_gbs;             /* 10^9 bytes a second, reading what fits the second-level cache, */
    double model_gbs;          /* as many bytes as the model's weights, over and over, */
    double memory_gbs;         /* more than the last cache holds */
} lac_bench_machine;

/* One thread, the best of several short runs. */
int lac_bench_measure_machine(lac_bench_machine *machine, size_t model_bytes);

/* ---- layers ---- */

#define LAC_BENCH_MOST_LAYERS 24

enum lac_bench_block { LAC_BENCH_STREAM, LAC_BENCH_FILE, LAC_BENCH_BLOCKS };

typedef struct lac_bench_layer {
    const char *side, *name;
    double macs;                     /* a latent frame */
    double bytes;                    /* of weights, read once a block */
    double time[LAC_BENCH_BLOCKS];   /* seconds a latent frame: in blocks of 1, of LAC_BENCH_FILE_BLOCK */
} lac_bench_layer;

typedef struct lac_bench_layers {
    lac_bench_layer layers[LAC_BENCH_MOST_LAYERS];
    size_t count;
} lac_bench_layers;

/* One thread, each layer's best of several passes over the audio. */
int lac_bench_measure_layers(const lac_bench *b, lac_bench_layers *layers);

/* Latent frames in a block. */
double lac_bench_block_frames(enum lac_bench_block block);

/* ---- in real time ---- */

/* What one thread serves. step is called at each tick, a frame's length after the last, and returns 0 or a status. */
typedef struct lac_bench_share {
    int (*step)(void *user, size_t number);
    void *user;
    size_t count;               /* streams, each of which a step gives a frame */
} lac_bench_share;

typedef struct lac_bench_ticks {
    uint32_t threads;
    double step_ms[3];          /* p50, p95, p99 of a step: from its tick until all threads are through */
    uint64_t frames, late;      /* that finished more than a frame's length after their tick */
} lac_bench_ticks;

/* Threads for so many streams: as given, or one a core. */
uint32_t lac_bench_share_count(const lac_bench *b, uint32_t streams);

/* A thread for each of `count` shares, for b->seconds. 0 or a status. */
int lac_bench_run_ticks(const lac_bench *b, const lac_bench_share *shares, uint32_t count, lac_bench_ticks *result);

/* b->streams calls through lac_batch. */
int lac_bench_run_streams(const lac_bench *b, lac_bench_ticks *result);

/* b->receivers receivers of packets that get lost and come unevenly; *bytes: of one receiver. */
int lac_bench_run_receivers(const lac_bench *b, lac_bench_ticks *result, size_t *bytes);

#endif
