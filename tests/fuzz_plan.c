/* Fuzz target of what lac synth reads: plans, rows of manifests ('m' first), lines of synth.json's kind. A plan
 * that is taken is drawn from. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "licence.h"
#include "manifest.h"
#include "plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_spread(const lac_spread *s)
{
    for (uint64_t key = 0; key < 20 && s->count > 0; key++) {
        double value = lac_spread_draw(s, key);

        if (!(value >= lac_spread_least(s) && value <= lac_spread_most(s)))
            abort();
    }
}

static void parse_plan(const uint8_t *data, size_t size)
{
    char reason[LAC_PLAN_REASON];
    lac_plan plan;

    if (lac_plan_parse(&plan, data, size, "plan", reason) == 0) {
        check_spread(&plan.style.rate);
        check_spread(&plan.style.pitch_semitones);
        check_spread(&plan.simulate.band.amount);
        if (plan.speaker.same + plan.speaker.seed + plan.speaker.sampled + plan.speaker.mixed <= 0)
            abort();
    } else if (strlen(reason) >= sizeof reason || !*reason) {
        abort();
    }
    lac_plan_close(&plan);
}

static void parse_row(const uint8_t *data, size_t size)
{
    char reason[LAC_MANIFEST_REASON], number[LAC_MANIFEST_NUMBER];
    lac_licence_sum sum;
    lac_manifest_row row;

    if (lac_manifest_parse(&row, (const char *)data, size, reason))
        return;
    lac_manifest_consent(&row, "consent");
    lac_manifest_field(&row, "x", number);
    lac_licence_add_up(&sum, &row.licence, 1);
    lac_manifest_row_free(&row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'm')
        parse_row(data + 1, size - 1);
    else
        parse_plan(data, size);
    return 0;
}
