#include "facts.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

void lac_facts_count(cJSON *facts, const char *name, unsigned long long value)
{
    if (value == UINT64_MAX)
        cJSON_AddNullToObject(facts, name);
    else
        cJSON_AddNumberToObject(facts, name, (double)value);
}

void lac_facts_real(cJSON *facts, const char *name, double value, int digits)
{
    char text[64];

    snprintf(text, sizeof text, "%.*g", digits, value);
    cJSON_AddNumberToObject(facts, name, strtod(text, NULL));
}

static void print_value(const cJSON *value)
{
    const cJSON *item;
    int index = 0;

    if (cJSON_IsArray(value)) {
        cJSON_ArrayForEach(item, value) {
            fputs(index++ ? ", " : "", stdout);
            print_value(item);
        }
    } else if (cJSON_IsString(value)) {
        /* Tags come from files: no control characters reach the terminal. */
        for (const char *s = cJSON_GetStringValue(value); *s; s++)
            putchar((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
    } else if (cJSON_IsNull(value)) {
        fputs("unknown", stdout);
    } else if (cJSON_IsBool(value)) {
        fputs(cJSON_IsTrue(value) ? "yes" : "no", stdout);
    } else if (cJSON_IsNumber(value)) {
        printf("%.15g", cJSON_GetNumberValue(value));
    }
}

static void print_lines(const cJSON *facts)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, facts) {
        if (cJSON_IsObject(item)) {
            print_lines(item);
            continue;
        }
        printf("%-18s ", item->string);
        print_value(item);
        putchar('\n');
    }
}

int lac_facts_print(cJSON *facts, int json)
{
    char *text = facts && json ? cJSON_Print(facts) : NULL;
    int failed = 0;

    if (!facts || (json && !text))
        failed = lac_report("facts", "out of memory");
    else if (json)
        puts(text);
    else
        print_lines(facts);
    cJSON_free(text);
    cJSON_Delete(facts);
    return failed;
}
