/* Named facts, printed as lines of "name: value" or as one JSON object. */
#ifndef LAC_TOOLS_FACTS_H
#define LAC_TOOLS_FACTS_H

#include <cjson/cJSON.h>

/* An object to fill with cJSON_Add...; print it and free it. 0, or LAC_EXIT_FAILED after a message if `facts` is NULL
 * or memory ran out. */
int lac_facts_print(cJSON *facts, int json);

/* Whole numbers are exact up to 2^53; UINT64_MAX (unknown) becomes null. */
void lac_facts_count(cJSON *facts, const char *name, unsigned long long value);

/* Rounded to `digits` significant digits. */
void lac_facts_real(cJSON *facts, const char *name, double value, int digits);

#endif
