/* Reports of the commands that send and receive: rows while they run and one at the end. */
#ifndef LAC_TOOLS_NETREPORT_H
#define LAC_TOOLS_NETREPORT_H

#include <stdint.h>
#include <stdio.h>

#include "facts.h"

typedef struct lac_net_report {
    FILE *file;    /* standard output, or standard error if sound goes there */
    int json;      /* the last report is wanted */
    double every;  /* seconds from row to row; 0: no rows */
    double next;   /* when the next row is due */
} lac_net_report;

/* 1 when a row is due at `seconds` of the session's clock. */
int lac_net_report_is_due(lac_net_report *report, double seconds);

/* One row with "event": `event` in it. Frees `facts`; NULL is taken for lack of memory. 0, or LAC_EXIT_FAILED
 * after a message. */
int lac_net_report_row(lac_net_report *report, const char *event, cJSON *facts);

/* A row with "event": "listening", which tells the port. */
int lac_net_report_listening(lac_net_report *report, uint32_t port);

/* The report at the end: a row if there were rows, else one object, if wanted. Frees `facts`. As above. */
int lac_net_report_end(lac_net_report *report, cJSON *facts);

/* A share of 100, and null without a whole. */
void lac_facts_percent(cJSON *facts, const char *name, double part, double whole);

#endif
