/* Parts of the report page: text that is escaped, histograms, sound. */
#ifndef LAC_SYNTH_REPORTPLOT_H
#define LAC_SYNTH_REPORTPLOT_H

#include <stdint.h>
#include <stdio.h>

#include "reportstats.h"

/* Text of whatever bytes, as HTML text or an attribute's value; what is no UTF-8 becomes U+FFFD. */
void lac_report_escape(FILE *page, const char *text);

void lac_report_base64(FILE *page, const uint8_t *bytes, size_t size);

/* A figure with the histogram of the numbers, rejected ones on top of the accepted, and the plan's threshold unless
 * it is NAN. Nothing for a histogram without numbers. */
void lac_report_plot(FILE *page, const lac_report_quantity *quantity, const lac_report_histogram *histogram,
                     double threshold);

#endif
