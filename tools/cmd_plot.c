/* lac plot: factors of one file over time, or the speakers of many on a map. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "factorload.h"
#include "fileout.h"
#include "lac/status.h"
#include "plots.h"
#include "report.h"

#define SHOWN_S 20.0 /* seconds that are shown if none are given */
#define MOST_S 600.0

static const char usage[] =
    "usage: lac plot -o OUT.png [--start S] [--duration S] [-m MODEL] [--codec MODEL] [--channel N]\n"
    "                [--raw RATE:CHANNELS:FORMAT] [-f] IN\n"
    "       lac plot --map -o OUT.png [-m MODEL] [--codec MODEL] [-j N] [-f] IN...\n"
    "\n"
    "Draws a spectrogram of audio or of a .lac file with its pitch, voicing, energy, content tokens and phones "
    "(in\n"
    "X-SAMPA), or, with --map, the speakers of files and folders: the two principal components of their vectors.\n"
    "Points are named after the folder that they lie in, below the one given, or else the file.\n"
    "\n"
    "  -o, --output OUT.png where to\n"
    "      --start S        the first second shown; default 0\n"
    "      --duration S     how many are; default 20, at most 600\n"
    "      --map            a map of speakers; .npz files of lac factors are taken too\n" LAC_FACTOR_SOURCE_USAGE
    "  -f, --force          overwrite\n"
    "  -h, --help           this text\n";

typedef struct point {
    char *label;
    float vector[LAC_SPEAKER_SIZE];
} point;

typedef struct job {
    lac_factor_source source;
    const char *output;
    double start_s, seconds;      /* seconds negative: not given */
    bool map, force;
    lac_inputs inputs;
    lac_factor_worker **workers;  /* [source.jobs] */
    point *points;                /* [inputs.count] */
    size_t count;
    int worst;
    double *pcm;                  /* [room] of the window, at the codec's rate */
    size_t samples, room;
    uint64_t skip, seen;          /* samples before the window, and so far */
    off_t stdin_start;            /* where standard input begins, which is read twice */
    lac_progress progress;
} job;

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'o': j->output = optarg; return 0;
    case 'M': j->map = true; return 0;
    case 'f': j->force = true; return 0;
    case 's': return lac_option_seconds("plot", "--start", optarg, &j->start_s);
    case 'd': return lac_option_real("plot", "--duration", optarg, 0.1, MOST_S, "seconds shown", &j->seconds);
    default: return lac_factor_source_option(&j->source, "plot", option, argv);
    }
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        LAC_FACTOR_SOURCE_OPTIONS,
        {"output", required_argument, NULL, 'o'},   {"start", required_argument, NULL, 's'},
        {"duration", required_argument, NULL, 'd'}, {"map", no_argument, NULL, 'M'},
        {"force", no_argument, NULL, 'f'},          {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":m:j:o:fh", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("plot", "which file?");
    if (!j->output)
        return lac_report_usage("plot", "-o: where to?");
    if (j->map && (j->seconds >= 0 || j->start_s > 0))
        return lac_report_usage("plot", "--start and --duration are of one file, not of a map");
    if (!j->map && argc - optind > 1)
        return lac_report_usage("plot", "one file, not also '%s'; or --map", argv[optind + 1]);
    return lac_inputs_open(&j->inputs, argv + optind, (size_t)(argc - optind),
                           LAC_INPUTS_LAC | (j->map ? LAC_INPUTS_NPZ : 0));
}

static int write_picture(job *j, int status, uint8_t *png, size_t size)
{
    lac_file_out out;
    int failed;

    if (status)
        return lac_report_status(j->output, status, 0);
    failed = lac_file_out_open(&out, j->output, j->inputs.item[0].path, j->force);
    if (!failed) {
        lac_file_out_write(&out, png, size);
        failed = lac_file_out_commit(&out);
    }
    free(png);
    return failed;
}

/* ---- one file ---- */

static int keep(void *user, const float *pcm, size_t samples)
{
    job *j = user;

    for (size_t i = 0; i < samples; i++, j->seen++)
        if (j->seen >= j->skip && j->samples < j->room)
            j->pcm[j->samples++] = (double)pcm[i];
    return 0;
}

/* The sound of the window; what is not there is silence. */
static int load_window(job *j, const char *path)
{
    double rate = j->source.codec_about.sample_rate;
    lac_mono_in in = {.path = path, .raw = &j->source.raw, .channel = j->source.channel, .codec = j->source.codec,
                      .rate = j->source.codec_about.sample_rate, .sink = keep, .user = j};

    if (strcmp(path, "-") == 0)
        lseek(STDIN_FILENO, j->stdin_start, SEEK_SET);
    j->skip = (uint64_t)(j->start_s * rate);
    j->room = (size_t)ceil(j->seconds * rate);
    j->pcm = calloc(j->room, sizeof *j->pcm);
    return j->pcm ? lac_mono_in_run(&in) : lac_report(path, "out of memory");
}

static void describe(const job *j, const lac_factor_set *set, char *text, size_t size)
{
    const lac_factors *f = &set->factors;

    snprintf(text, size,
             "%s   %.1f s, median pitch %.0f Hz, SNR %.0f dB, T60 %.2f s, to %.0f Hz, codec %s, confidence %.2f",
             lac_report_name(j->inputs.item[0].name, 0), set->duration_s, (double)f->f0_median_hz,
             (double)f->snr_db, (double)f->t60_s, (double)f->bandwidth_hz,
             lac_factor_codec_name(lac_factor_set_codec(set)), (double)f->confidence);
}

static int draw_file(job *j, const lac_factor_set *set)
{
    const char *path = j->inputs.item[0].path;
    double rest = set->duration_s - j->start_s;
    char title[240];
    uint8_t *png = NULL;
    size_t size = 0;

    if (rest <= 0)
        return lac_report(path, "has %.2f s of sound; there is nothing to draw", set->duration_s);
    if (j->seconds < 0)
        j->seconds = rest < SHOWN_S ? rest : SHOWN_S;
    int failed = load_window(j, path);
    if (failed && failed != LAC_EXIT_CONCEALED)
        return failed;
    lac_plot_window window = {j->start_s, j->seconds, j->pcm, j->room, j->source.codec_about.sample_rate};
    describe(j, set, title, sizeof title);
    int status = lac_plot_file(set, &window, title, &png, &size);
    return write_picture(j, status, png, size);
}

static int run_file(job *j)
{
    lac_factor_worker *worker = NULL;
    lac_factor_set set = {0};
    int failed = lac_factor_worker_open(&worker, &j->source), damaged = 0;

    if (!failed)
        failed = lac_factor_worker_analyse(worker, j->inputs.item[0].path, &j->progress, &set);
    lac_progress_hide();
    if (failed == LAC_EXIT_CONCEALED)
        damaged = failed;
    if (failed == damaged)
        failed = draw_file(j, &set);
    lac_factor_set_free(&set);
    lac_factor_worker_close(&worker);
    return failed ? failed : damaged;
}

/* ---- a map ---- */

/* The first folder below the one given, or the file's name without its ending. To be freed. */
static char *label_of(const char *name)
{
    char *label = strdup(name);
    char *cut = label ? strchr(label + 1, '/') : NULL;

    if (label && !cut)
        cut = strrchr(label + 1, '.');
    if (cut)
        *cut = 0;
    return label;
}

static int work(void *user, uint32_t number, size_t index, void **out)
{
    job *j = user;

    return lac_factor_worker_item(&j->workers[number], &j->source, j->inputs.item[index].path, out);
}

static int take(void *user, size_t index, int status, void *out)
{
    job *j = user;
    lac_factor_set *set = out;
    point *p = &j->points[j->count];

    lac_progress_hide();
    if (set && set->factors.confidence > 0) {
        p->label = label_of(j->inputs.item[index].name);
        memcpy(p->vector, set->factors.speaker, sizeof p->vector);
        j->count += p->label != NULL;
    } else if (set) {
        status = lac_report(j->inputs.item[index].path, "holds no speech: no point");
    }
    if (set)
        lac_factor_item_drop(set);
    if (status && j->worst != LAC_EXIT_FAILED)
        j->worst = status;
    lac_progress_text(&j->progress, "%zu of %zu files", index + 1, j->inputs.count);
    return 0;
}

static int by_label(const void *a, const void *b)
{
    const point *x = a, *y = b;
    int order = strcmp(x->label, y->label);

    return order ? order : memcmp(x->vector, y->vector, sizeof x->vector);
}

static int draw_map(job *j)
{
    lac_plot_point *points = calloc(j->count + 1, sizeof *points);
    char title[160];
    uint8_t *png = NULL;
    size_t size = 0;

    if (!points)
        return lac_report(j->output, "out of memory");
    qsort(j->points, j->count, sizeof *j->points, by_label);
    for (size_t i = 0; i < j->count; i++)
        points[i] = (lac_plot_point){j->points[i].label, j->points[i].vector};
    snprintf(title, sizeof title, "Speakers of %zu files", j->count);
    int status = lac_plot_map(points, j->count, title, &png, &size);
    free(points);
    return write_picture(j, status, png, size);
}

static int run_map(job *j)
{
    lac_jobs jobs = {.count = j->inputs.count, .threads = j->source.jobs, .user = j, .work = work, .take = take,
                     .drop = lac_factor_item_drop};
    int failed;

    j->workers = calloc(jobs.threads, sizeof(lac_factor_worker *));
    j->points = calloc(j->inputs.count, sizeof *j->points);
    if (!j->workers || !j->points)
        return lac_report("plot", "out of memory");
    failed = lac_jobs_run(&jobs);
    lac_progress_hide();
    if (!failed)
        failed = j->count > 0 ? draw_map(j) : lac_report(j->output, "no file has a speaker; nothing is drawn");
    return failed ? failed : j->worst;
}

/* ---- */

static void close_all(job *j)
{
    for (uint32_t i = 0; j->workers && i < j->source.jobs; i++)
        lac_factor_worker_close(&j->workers[i]);
    for (size_t i = 0; i < j->count; i++)
        free(j->points[i].label);
    free(j->workers);
    free(j->points);
    free(j->pcm);
    lac_inputs_close(&j->inputs);
    lac_factor_source_close(&j->source);
}

int lac_cmd_plot(int argc, char **argv)
{
    job j = {.seconds = -1};
    int done = 0;
    int failed;

    lac_factor_source_init(&j.source);
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = lac_factor_source_keep_stdin(&j.source, &j.inputs, true);
    j.stdin_start = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (!failed && !done)
        failed = lac_factor_source_open(&j.source);
    if (!failed && !done) {
        lac_progress_start(&j.progress, -1);
        failed = j.map ? run_map(&j) : run_file(&j);
    }
    close_all(&j);
    return failed;
}
