/* lac tokens stats: entropy of the tokens, and what they tell of each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "tokencmd.h"
#include "tokenstats.h"

static const char usage[] =
    "usage: lac tokens stats [--json] [-m MODEL] [-b KBPS] [--beam N] IN...\n"
    "\n"
    "Entropy, perplexity and usage of each codebook's tokens, and their mutual information with those of the\n"
    "codebook below and of the first in the same frame, and of the same codebook in the frame before. Of .lac\n"
    "files, audio and folders of them, all channels.\n"
    "\n"
    "      --json           as one JSON object\n"
    "  -m, --model MODEL    a model file or a name; default: the one a file names, for audio the built-in one\n"
    "  -b, --bitrate KBPS   of audio, kbit/s a channel; default 3\n"
    "      --beam N         of audio, choices of tokens followed at once, 1 to 16; default 8\n"
    "  -h, --help           this text\n"
    "\n"
    "Information is given as a range: the true value lies between, the nearer to both the more frames there are.\n";

enum relation { BELOW, FIRST, BEFORE, RELATIONS };
static const char *const relations[RELATIONS] = {"information_below", "information_first", "information_before"};

typedef struct stage {
    uint32_t *counts;                      /* [codewords] */
    uint64_t tokens;
    lac_pair_counts pairs[RELATIONS];
    lac_information information[RELATIONS];
} stage;

typedef struct job {
    int json;
    lac_token_source source;
    lac_inputs inputs;
    lac_model_info about;                  /* of the first file */
    stage stages[LAC_MAX_CODEBOOKS];
    uint32_t used;                         /* stages that have tokens */
    uint64_t frames, files, left_out;      /* frames of all channels */
} job;

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    if (option == 'j')
        j->json = 1;
    return option == 'j' ? 0 : lac_token_source_option(&j->source, "tokens stats", option, argv);
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},        {"model", required_argument, NULL, 'm'},
        {"bitrate", required_argument, NULL, 'b'}, {"beam", required_argument, NULL, 'B'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":m:b:h", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("tokens stats", "which files?");
    return lac_inputs_open(&j->inputs, argv + optind, (size_t)(argc - optind), LAC_INPUTS_LAC);
}

/* All files must be of one model. */
static int take_model(job *j, const char *path)
{
    const lac_model_info *about = &j->source.about;

    if (j->about.codewords) {
        if (memcmp(j->about.id, about->id, sizeof about->id) != 0)
            return lac_report(path, "is of the model %s, but those before it of %s", about->name, j->about.name);
        return 0;
    }
    j->about = *about;
    for (uint32_t q = 0; q < about->codebooks; q++)
        if (!(j->stages[q].counts = calloc(about->codewords, sizeof *j->stages[q].counts)))
            return lac_report("tokens", "out of memory");
    return 0;
}

/* A frame's row, and the row before it, of which `before` tokens are there. */
static bool count_row(job *j, const uint16_t *row, uint32_t count, const uint16_t *last, uint32_t before)
{
    bool fine = true;

    for (uint32_t q = 0; q < count && fine; q++) {
        stage *s = &j->stages[q];
        s->counts[row[q]]++;
        s->tokens++;
        if (q > 0)
            fine = lac_pair_counts_add(&s->pairs[BELOW], row[q], row[q - 1]);
        if (q > 1)
            fine = fine && lac_pair_counts_add(&s->pairs[FIRST], row[q], row[0]);
        if (q < before)
            fine = fine && lac_pair_counts_add(&s->pairs[BEFORE], row[q], last[q]);
    }
    if (count > j->used)
        j->used = count;
    return fine;
}

static int count_set(job *j, const lac_token_set *set, const char *path)
{
    for (uint32_t c = 0; c < set->channels; c++) {
        const uint16_t *last = NULL;
        for (uint64_t t = 0; t < set->frames; t++) {
            const uint16_t *row = set->tokens + (t * set->channels + c) * set->codebooks;
            if (!count_row(j, row, set->counts[t], last, t > 0 ? set->counts[t - 1] : 0))
                return lac_report(path, "out of memory");
            last = row;
        }
    }
    j->frames += set->frames * set->channels;
    j->files++;
    return 0;
}

static int take_file(void *user, const lac_token_set *set, const char *path)
{
    int failed = take_model(user, path);

    return failed ? failed : count_set(user, set, path);
}

/* ---- results ---- */

static int measure(job *j)
{
    for (uint32_t q = 0; q < j->used; q++) {
        stage *s = &j->stages[q];
        for (int r = 0; r < RELATIONS; r++) {
            /* of the second codebook, the one below is the first */
            const lac_pair_counts *pairs = r == FIRST && q == 1 ? &s->pairs[BELOW] : &s->pairs[r];
            if (!lac_information_of(pairs, j->about.codewords, &s->information[r]))
                return lac_report("tokens", "out of memory");
            j->left_out += s->pairs[r].left_out;
        }
    }
    return 0;
}

static uint32_t values_used(const job *j, const stage *s)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < j->about.codewords; i++)
        used += s->counts[i] > 0;
    return used;
}

static double entropy(const job *j, const stage *s)
{
    return lac_entropy(s->counts, j->about.codewords);
}

/* Bits a frame of all codebooks, each counted as often as it is there; less what `relation` tells at least. */
static double bits_a_frame(const job *j, int relation)
{
    double sum = 0;

    for (uint32_t q = 0; q < j->used; q++) {
        const stage *s = &j->stages[q];
        double known = relation < RELATIONS ? s->information[relation].low : 0;
        sum += (entropy(j, s) - known) * (double)s->tokens / (double)j->frames;
    }
    return sum;
}

static cJSON *stage_facts(const job *j, uint32_t q)
{
    const stage *s = &j->stages[q];
    cJSON *facts = cJSON_CreateObject();
    uint32_t used = values_used(j, s);

    lac_facts_count(facts, "codebook", q + 1);
    lac_facts_count(facts, "frames", s->tokens);
    lac_facts_real(facts, "entropy", entropy(j, s), 6);
    lac_facts_real(facts, "perplexity", exp2(entropy(j, s)), 6);
    lac_facts_count(facts, "used", used);
    lac_facts_real(facts, "usage", (double)used / j->about.codewords, 6);
    for (int r = 0; r < RELATIONS; r++) {
        if (q == 0 && r != BEFORE)
            continue;
        cJSON *range = cJSON_AddObjectToObject(facts, relations[r]);
        lac_facts_real(range, "low", s->information[r].low, 6);
        lac_facts_real(range, "high", s->information[r].high, 6);
        lac_facts_real(range, "counted", s->information[r].counted, 6);
    }
    return facts;
}

static cJSON *totals(const job *j)
{
    cJSON *facts = cJSON_CreateObject();
    double plain = 0;

    for (uint32_t q = 0; q < j->used; q++)
        plain += (double)j->stages[q].tokens * j->about.token_bits / (double)(j->frames ? j->frames : 1);
    cJSON_AddStringToObject(facts, "model", j->about.name);
    lac_facts_count(facts, "files", j->files);
    lac_facts_count(facts, "frames", j->frames);
    lac_facts_count(facts, "codewords", j->about.codewords);
    lac_facts_real(facts, "bits_plain", plain, 6);
    lac_facts_real(facts, "bits_entropy", bits_a_frame(j, RELATIONS), 6);
    lac_facts_real(facts, "bits_given_below", bits_a_frame(j, BELOW), 6);
    lac_facts_real(facts, "bits_given_before", bits_a_frame(j, BEFORE), 6);
    lac_facts_count(facts, "pairs_left_out", j->left_out);
    return facts;
}

static void print_range(const lac_information *i, bool there)
{
    if (there)
        printf("  %5.2f .. %5.2f", i->low, i->high);
    else
        printf("  %14s", "");
}

static int print_table(const job *j)
{
    int failed = lac_facts_print(totals(j), 0);

    printf("\ncodebook  entropy  perplexity  usage  information: below          first          before\n");
    for (uint32_t q = 0; q < j->used; q++) {
        const stage *s = &j->stages[q];
        double bits = entropy(j, s);
        printf("%8u  %7.3f  %10.1f  %4.0f %%    ", q + 1, bits, exp2(bits),
               100.0 * values_used(j, s) / j->about.codewords);
        for (int r = 0; r < RELATIONS; r++)
            print_range(&s->information[r], q > 0 || r == BEFORE);
        putchar('\n');
    }
    return failed;
}

static int print_json(const job *j)
{
    cJSON *facts = totals(j), *list = cJSON_AddArrayToObject(facts, "codebooks");

    for (uint32_t q = 0; q < j->used; q++)
        cJSON_AddItemToArray(list, stage_facts(j, q));
    return lac_facts_print(facts, 1);
}

static int run(job *j)
{
    int worst = lac_token_source_each(&j->source, &j->inputs, take_file, j, NULL), failed;

    if (worst && worst != LAC_EXIT_CONCEALED)
        return worst;
    failed = measure(j);
    if (!failed)
        failed = j->json ? print_json(j) : print_table(j);
    return failed ? failed : worst;
}

static void close_all(job *j)
{
    for (uint32_t q = 0; q < LAC_MAX_CODEBOOKS; q++) {
        free(j->stages[q].counts);
        for (int r = 0; r < RELATIONS; r++)
            lac_pair_counts_free(&j->stages[q].pairs[r]);
    }
    lac_progress_hide();
    lac_token_source_close(&j->source);
    lac_inputs_close(&j->inputs);
}

int lac_tokens_stats(int argc, char **argv)
{
    job *j = calloc(1, sizeof *j);
    int done = 0;
    int failed;

    if (!j)
        return lac_report("tokens", "out of memory");
    lac_token_source_init(&j->source);
    failed = parse(j, argc, argv, &done);
    if (!failed && !done)
        failed = run(j);
    close_all(j);
    free(j);
    return failed;
}
