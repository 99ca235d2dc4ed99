#include "concealed.h"

#include <inttypes.h>
#include <stdio.h>

#include "report.h"

void lac_concealed_note(lac_concealed *concealed, const lac_reader *reader, double seconds)
{
    lac_stream_info info;

    lac_reader_get_info(reader, &info);
    if (info.damaged_pages == concealed->pages)
        return;
    concealed->pages = info.damaged_pages;
    if (concealed->places < LAC_CONCEALED_PLACES)
        concealed->at[concealed->places] = seconds;
    concealed->places++;
}

int lac_concealed_report(const lac_concealed *concealed, const lac_reader *reader, const char *file)
{
    lac_stream_info info;
    char places[32 * (LAC_CONCEALED_PLACES + 1)] = "";
    size_t used = 0;

    lac_reader_get_info(reader, &info);
    if (!info.damaged_pages && !info.truncated)
        return LAC_EXIT_OK;
    for (unsigned i = 0; i < concealed->places && i < LAC_CONCEALED_PLACES; i++)
        used += (size_t)snprintf(places + used, sizeof places - used, "%s%.1f s", i ? ", " : ": near ",
                                 concealed->at[i]);
    if (concealed->places > LAC_CONCEALED_PLACES)
        snprintf(places + used, sizeof places - used, ", ...");
    if (info.damaged_pages)
        lac_report(file, "%" PRIu64 " damaged or missing page%s concealed%s", info.damaged_pages,
                   info.damaged_pages == 1 ? "" : "s", places);
    if (info.truncated)
        lac_report(file, "is cut off; what is missing at its end can't be told");
    return LAC_EXIT_CONCEALED;
}
