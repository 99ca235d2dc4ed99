#include "plankeys.h"

#include <math.h>
#include <string.h>

#define AT(member) offsetof(lac_plan, member)
#define GROUP(name)                                                                                                \
    {                                                                                                              \
        name, LAC_PLAN_GROUP, 0, 0, 0, 0, NULL                                                                     \
    }
#define TEXT(name, member)                                                                                         \
    {                                                                                                              \
        name, LAC_PLAN_TEXT, AT(member), 0, 0, 0, NULL                                                             \
    }
#define COUNT(name, member, low, high, preset)                                                                     \
    {                                                                                                              \
        name, LAC_PLAN_COUNT, AT(member), low, high, preset, NULL                                                  \
    }
#define REAL(name, member, low, high, preset)                                                                      \
    {                                                                                                              \
        name, LAC_PLAN_REAL, AT(member), low, high, preset, NULL                                                   \
    }
#define WEIGHT(name, member) REAL(name, member, 0, 1e9, 0)
#define SHARE(name, member)  REAL(name, member, 0, 1, 0)
#define SPREAD(name, member, low, high, preset)                                                                    \
    {                                                                                                              \
        name, LAC_PLAN_SPREAD, AT(member), low, high, preset, NULL                                                 \
    }
#define FLAG(name, member)                                                                                         \
    {                                                                                                              \
        name, LAC_PLAN_FLAG, AT(member), 0, 0, 0, NULL                                                             \
    }
#define WORD(name, member, words, preset)                                                                          \
    {                                                                                                              \
        name, LAC_PLAN_WORD, AT(member), 0, 0, preset, words                                                       \
    }
#define TEXTS(name, member, words)                                                                                 \
    {                                                                                                              \
        name, LAC_PLAN_TEXTS, AT(member), 0, 0, 0, words                                                           \
    }
#define WHERE(name, member)                                                                                        \
    {                                                                                                              \
        name, LAC_PLAN_WHERE, AT(member), 0, 0, 0, NULL                                                            \
    }

const lac_plan_key lac_plan_keys[] = {
    TEXT("name", name),
    COUNT("seed", seed, 0, 9007199254740992.0, 0),
    COUNT("count", count, 1, 999999999, 0),
    REAL("hours", hours, 1e-6, 1e6, 0),
    REAL("multiply", multiply, 1e-6, 1e6, 0),

    GROUP("content"),
    WHERE("content.where", content.where),
    WORD("content.balance", content.balance, "none|speaker|text", LAC_BALANCE_NONE),
    SHARE("content.untouched", content.untouched),

    GROUP("speaker"),
    WEIGHT("speaker.same", speaker.same),
    WEIGHT("speaker.seed", speaker.seed),
    WEIGHT("speaker.sampled", speaker.sampled),
    WEIGHT("speaker.mixed", speaker.mixed),
    WHERE("speaker.where", speaker.where),
    REAL("speaker.largest_cosine", speaker.largest_cosine, -1, 1, 0.6),
    REAL("speaker.spread", speaker.spread, 0, 2, 1),
    COUNT("speaker.voices", speaker.voices, 1, 999999999, 0),
    SPREAD("speaker.mix", speaker.mix, 0, 1, 0.5),
    GROUP("speaker.attributes"),
    SPREAD("speaker.attributes.pitch", speaker.attribute[0], -3, 3, NAN),
    SPREAD("speaker.attributes.formants", speaker.attribute[1], -3, 3, NAN),
    SPREAD("speaker.attributes.age", speaker.attribute[2], -3, 3, NAN),
    SPREAD("speaker.attributes.accent", speaker.attribute[3], -3, 3, NAN),

    GROUP("style"),
    WEIGHT("style.same", style.same),
    WEIGHT("style.seed", style.seed),
    WHERE("style.where", style.where),
    SPREAD("style.weight", style.weight, 0, 1, 1),
    SPREAD("style.pitch_semitones", style.pitch_semitones, -24, 24, 0),
    SPREAD("style.range", style.range, 0, 4, 1),
    SPREAD("style.rate", style.rate, 0.5, 2, 1),
    SPREAD("style.energy_db", style.energy_db, -40, 20, 0),

    GROUP("environment"),
    WEIGHT("environment.same", environment.same),
    WEIGHT("environment.neutral", environment.neutral),
    WEIGHT("environment.seed", environment.seed),
    WEIGHT("environment.sampled", environment.sampled),
    WHERE("environment.where", environment.where),

    GROUP("channel"),
    WEIGHT("channel.same", channel.same),
    WEIGHT("channel.neutral", channel.neutral),
    WEIGHT("channel.seed", channel.seed),
    WEIGHT("channel.sampled", channel.sampled),
    WHERE("channel.where", channel.where),

    GROUP("generator"),
    REAL("generator.noise", generator.noise, 0, 2, 0.6),

    GROUP("simulate"),
    GROUP("simulate.room"),
    SHARE("simulate.room.probability", simulate.room.probability),
    SPREAD("simulate.room.t60_s", simulate.room.amount, 0.1, 1.5, 0.4),
    GROUP("simulate.noise"),
    SHARE("simulate.noise.probability", simulate.noise.probability),
    SPREAD("simulate.noise.snr_db", simulate.noise.amount, -10, 60, 20),
    WHERE("simulate.noise.where", simulate.noise_where),
    TEXTS("simulate.noise.files", simulate.noise_files, NULL),
    GROUP("simulate.babble"),
    SHARE("simulate.babble.probability", simulate.babble.probability),
    SPREAD("simulate.babble.snr_db", simulate.babble.amount, -10, 60, 20),
    SPREAD("simulate.babble.voices", simulate.voices, 1, 8, 4),
    GROUP("simulate.microphone"),
    SHARE("simulate.microphone.probability", simulate.microphone.probability),
    SPREAD("simulate.microphone.db", simulate.microphone.amount, 0, 12, 4),
    GROUP("simulate.band"),
    SHARE("simulate.band.probability", simulate.band.probability),
    SPREAD("simulate.band.low_hz", simulate.band.amount, 0, 2000, 300),
    SPREAD("simulate.band.high_hz", simulate.band.second, 1000, 12000, 3400),
    GROUP("simulate.mulaw"),
    SHARE("simulate.mulaw.probability", simulate.mulaw.probability),
    GROUP("simulate.opus"),
    SHARE("simulate.opus.probability", simulate.opus.probability),
    SPREAD("simulate.opus.bps", simulate.opus.amount, 6000, 64000, 16000),
    SPREAD("simulate.opus.loss", simulate.opus.second, 0, 0.5, 0),
    GROUP("simulate.clip"),
    SHARE("simulate.clip.probability", simulate.clip.probability),
    SPREAD("simulate.clip.db", simulate.clip.amount, 0, 40, 6),

    GROUP("constraints"),
    TEXTS("constraints.never_speakers", constraints.never_speakers, NULL),
    TEXT("constraints.never_speakers_file", constraints.never_speakers_file),
    TEXT("constraints.consent_field", constraints.consent_field),
    FLAG("constraints.require_consent", constraints.require_consent),
    TEXTS("constraints.licences", constraints.licences, NULL),
    COUNT("constraints.max_per_source", constraints.max_per_source, 1, 999999999, 0),

    GROUP("gates"),
    REAL("gates.speaker_cosine_min", gates.speaker_cosine_min, -1, 1, -1),
    REAL("gates.content_distance_max", gates.content_distance_max, 0, 1, 1),
    REAL("gates.snr_db_min", gates.snr_db_min, -10, 60, -10),
    REAL("gates.clipped_share_max", gates.clipped_share_max, 0, 1, 0.01),
    REAL("gates.silent_share_max", gates.silent_share_max, 0, 1, 0.95),
    COUNT("gates.attempts", gates.attempts, 1, 100, 4),

    GROUP("output"),
    WORD("output.kind", output.kind, "tar|files", LAC_OUTPUT_TAR),
    WORD("output.audio", output.audio, "wav|flac|opus|lac", LAC_OUTPUT_FLAC),
    COUNT("output.rate_hz", output.rate_hz, 8000, 48000, 24000),
    COUNT("output.shard_outputs", output.shard_outputs, 1, 1000000, 1000),
    TEXTS("output.manifests", output.manifests, "nemo|lhotse"),
};
const size_t lac_plan_key_count = sizeof lac_plan_keys / sizeof *lac_plan_keys;
_Static_assert(sizeof lac_plan_keys / sizeof *lac_plan_keys <= LAC_PLAN_KEYS, "LAC_PLAN_KEYS");

int lac_plan_key_find(const char *name)
{
    for (size_t i = 0; i < lac_plan_key_count; i++)
        if (strcmp(lac_plan_keys[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* ---- what the values say together ---- */

static bool is_given(const lac_plan *plan, const char *key)
{
    return plan->line[lac_plan_key_find(key)] != 0;
}

/* Weights of a group: none given is `same` alone. */
static int check_weights(lac_plan *plan, const char *group, char *reason)
{
    static const char *const kinds[] = {"same", "neutral", "seed", "sampled", "mixed"};
    double *same = NULL, sum = 0;
    bool given = false;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char name[64];
        size_t size = strlen(group) + 1;

        memcpy(name, group, size);
        name[size - 1] = '.';
        memcpy(name + size, kinds[i], strlen(kinds[i]) + 1);
        int key = lac_plan_key_find(name);
        if (key < 0)
            continue;
        double *weight = (double *)((char *)plan + lac_plan_keys[key].offset);
        same = i == 0 ? weight : same;
        sum += *weight;
        given |= plan->line[key] != 0;
    }
    if (!given)
        *same = sum = 1;
    return sum > 0 ? 0 : lac_plan_fail(plan, group, reason, "all weights are 0");
}

static int check_amount(lac_plan *plan, char *reason)
{
    int ways = is_given(plan, "count") + is_given(plan, "hours") + is_given(plan, "multiply");

    if (ways == 0)
        return lac_plan_fail(plan, "name", reason, "how many? One of count, hours and multiply is needed");
    if (ways > 1)
        return lac_plan_fail(plan, is_given(plan, "multiply") ? "multiply" : "hours", reason,
                             "only one of count, hours and multiply can be");
    return 0;
}

static int check_name(lac_plan *plan, char *reason)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t size = plan->name ? strlen(plan->name) : 0;

    if (size == 0)
        return lac_plan_fail(plan, "name", reason, "a plan needs a name");
    if (size > LAC_PLAN_NAME || strspn(plan->name, allowed) != size)
        return lac_plan_fail(plan, "name", reason, "letters, digits, '-' and '_', at most %d", LAC_PLAN_NAME);
    if (strcmp(plan->name, "rejected") == 0)
        return lac_plan_fail(plan, "name", reason, "rejected.jsonl is of what is rejected; take another name");
    return 0;
}

static int check_simulation(lac_plan *plan, char *reason)
{
    const lac_plan_effect *band = &plan->simulate.band;

    if (plan->simulate.noise.probability > 0 && plan->simulate.noise_where.count == 0 &&
        plan->simulate.noise_files.count == 0)
        return lac_plan_fail(plan, "simulate.noise", reason, "where from? where or files is needed");
    if (band->probability > 0 && lac_spread_most(&band->amount) >= lac_spread_least(&band->second))
        return lac_plan_fail(plan, "simulate.band.low_hz", reason, "can be %g Hz, high_hz as low as %g",
                             lac_spread_most(&band->amount), lac_spread_least(&band->second));
    return 0;
}

static int check_output(lac_plan *plan, char *reason)
{
    uint64_t rate = plan->output.rate_hz;

    if (plan->output.audio == LAC_OUTPUT_OPUS && rate != 8000 && rate != 12000 && rate != 16000 && rate != 24000 &&
        rate != 48000)
        return lac_plan_fail(plan, "output.rate_hz", reason, "Opus has 8000, 12000, 16000, 24000 and 48000 Hz");
    if (plan->output.audio == LAC_OUTPUT_LAC && rate != 24000)
        return lac_plan_fail(plan, "output.rate_hz", reason, ".lac files hold 24000 Hz");
    return 0;
}

static int check_voices(lac_plan *plan, char *reason)
{
    if (plan->content.untouched >= 1 && plan->speaker.seed + plan->speaker.sampled + plan->speaker.mixed > 0)
        return lac_plan_fail(plan, "content.untouched", reason, "with 1 no voice can be changed, as speaker wants");
    if (plan->speaker.sampled > 0 && plan->speaker.largest_cosine <= -0.99)
        return lac_plan_fail(plan, "speaker.largest_cosine", reason, "no voice is that far from all");
    return 0;
}

int lac_plan_check(lac_plan *plan, char *reason)
{
    static const char *const groups[] = {"speaker", "style", "environment", "channel"};
    int failed = check_name(plan, reason);

    if (!failed)
        failed = check_amount(plan, reason);
    for (size_t i = 0; i < sizeof groups / sizeof *groups && !failed; i++)
        failed = check_weights(plan, groups[i], reason);
    if (!failed)
        failed = check_voices(plan, reason);
    if (!failed)
        failed = check_simulation(plan, reason);
    return failed ? failed : check_output(plan, reason);
}
