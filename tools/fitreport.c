#include "fitreport.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "report.h"

/* In units of the latents' variance. */
static double error_of(const lac_fit_report *report, uint32_t stage)
{
    return report->variance > 0 ? report->stage[stage].distortion / report->variance : 0;
}

void lac_fit_result_print(const lac_fit_result *result)
{
    const lac_fit_report *before = &result->before, *after = &result->after;

    printf("%.1f minutes, %llu frames; error of the latents%s, in units of their variance:\n", result->seconds / 60,
           (unsigned long long)result->kept, result->held_out ? " held out" : "");
    printf("stage  %s after   used  perplexity  entropy\n", before->stages ? "before " : "");
    for (uint32_t s = 0; s < after->stages; s++) {
        printf("%5u  ", s + 1);
        if (s < before->stages)
            printf("%.4f  ", error_of(before, s));
        else if (before->stages)
            printf("     -  ");
        printf("%.4f  %5u  %10.1f  %7.2f\n", error_of(after, s), after->stage[s].used, after->stage[s].perplexity,
               after->stage[s].entropy);
    }
}

static void add_report(cJSON *to, const char *name, const lac_fit_report *report)
{
    cJSON *json = report->stages ? cJSON_AddObjectToObject(to, name) : cJSON_AddNullToObject(to, name);
    cJSON *stages;

    if (!report->stages)
        return;
    cJSON_AddNumberToObject(json, "frames", (double)report->rows);
    stages = cJSON_AddArrayToObject(json, "stages");
    for (uint32_t s = 0; s < report->stages; s++) {
        cJSON *stage = cJSON_CreateObject();

        cJSON_AddNumberToObject(stage, "distortion", error_of(report, s));
        cJSON_AddNumberToObject(stage, "used", report->stage[s].used);
        cJSON_AddNumberToObject(stage, "perplexity", report->stage[s].perplexity);
        cJSON_AddNumberToObject(stage, "entropy_bits", report->stage[s].entropy);
        cJSON_AddItemToArray(stages, stage);
    }
}

int lac_fit_result_print_json(const lac_fit_result *result)
{
    cJSON *json = cJSON_CreateObject();
    char id[2 * LAC_MODEL_ID_SIZE + 1];
    char *text;

    cJSON_AddStringToObject(json, "model", result->model);
    cJSON_AddStringToObject(json, "name", result->name);
    cJSON_AddStringToObject(json, "id", lac_report_id(result->id, id));
    cJSON_AddNumberToObject(json, "files", (double)result->files);
    cJSON_AddNumberToObject(json, "failed", (double)result->failed);
    cJSON_AddNumberToObject(json, "seconds", result->seconds);
    cJSON_AddNumberToObject(json, "fitted_frames", (double)result->kept);
    cJSON_AddBoolToObject(json, "held_out", result->held_out);
    add_report(json, "before", &result->before);
    add_report(json, "after", &result->after);
    text = cJSON_Print(json);
    cJSON_Delete(json);
    if (!text)
        return lac_report("fit", "out of memory");
    puts(text);
    cJSON_free(text);
    return 0;
}
