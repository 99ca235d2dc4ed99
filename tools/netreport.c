#include "netreport.h"

#include "progress.h"
#include "report.h"

int lac_net_report_is_due(lac_net_report *r, double seconds)
{
    if (r->every <= 0 || seconds < r->next)
        return 0;
    while (r->next <= seconds)
        r->next += r->every;
    return 1;
}

static int print(lac_net_report *r, cJSON *facts, int is_row)
{
    char *text = !facts ? NULL : is_row ? cJSON_PrintUnformatted(facts) : cJSON_Print(facts);

    cJSON_Delete(facts);
    if (!text)
        return lac_report("report", "out of memory");
    lac_progress_hide();
    fprintf(r->file, "%s\n", text);
    fflush(r->file);
    cJSON_free(text);
    return ferror(r->file) ? lac_report("report", "could not be written") : 0;
}

int lac_net_report_row(lac_net_report *r, const char *event, cJSON *facts)
{
    cJSON *name = facts ? cJSON_CreateString(event) : NULL;

    if (r->every <= 0) {
        cJSON_Delete(facts);
        cJSON_Delete(name);
        return 0;
    }
    if (!name || !cJSON_AddItemToObject(facts, "event", name)) {
        cJSON_Delete(facts);
        facts = NULL;
    }
    return print(r, facts, 1);
}

int lac_net_report_listening(lac_net_report *r, uint32_t port)
{
    cJSON *facts = cJSON_CreateObject();

    lac_facts_count(facts, "port", port);
    return lac_net_report_row(r, "listening", facts);
}

int lac_net_report_end(lac_net_report *r, cJSON *facts)
{
    if (r->every > 0)
        return lac_net_report_row(r, "end", facts);
    if (r->json)
        return print(r, facts, 0);
    cJSON_Delete(facts);
    return 0;
}

void lac_facts_percent(cJSON *facts, const char *name, double part, double whole)
{
    if (whole > 0)
        lac_facts_real(facts, name, 100 * part / whole, 4);
    else
        cJSON_AddNullToObject(facts, name);
}
