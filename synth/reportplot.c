#include "reportplot.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define BARS   40
#define WIDTH  320
#define HEIGHT 90

/* Bytes of the UTF-8 character at s (RFC 3629), or 0 if there is none. */
static size_t character(const unsigned char *s)
{
    size_t size = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    for (size_t i = 1; i < size; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return size;
}

static void put_character(FILE *page, const unsigned char *s, size_t size)
{
    switch (size == 1 ? s[0] : 0) {
    case '&':
        fputs("&amp;", page);
        return;
    case '<':
        fputs("&lt;", page);
        return;
    case '>':
        fputs("&gt;", page);
        return;
    case '"':
        fputs("&quot;", page);
        return;
    case '\'':
        fputs("&#39;", page);
        return;
    default:
        break;
    }
    if (size == 0 || (size == 1 && s[0] < 0x20 && s[0] != '\n' && s[0] != '\t'))
        fputs("&#65533;", page);
    else
        fwrite(s, 1, size, page);
}

void lac_report_escape(FILE *page, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    while (*s) {
        size_t size = character(s);

        put_character(page, s, size);
        s += size ? size : 1;
    }
}

void lac_report_base64(FILE *page, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = (uint32_t)bytes[i] << 16;

        word |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        word |= i + 2 < size ? bytes[i + 2] : 0;
        putc(digits[word >> 18], page);
        putc(digits[word >> 12 & 63], page);
        putc(i + 1 < size ? digits[word >> 6 & 63] : '=', page);
        putc(i + 2 < size ? digits[word & 63] : '=', page);
    }
}

/* The bins that are drawn, `each` to a bar. */
typedef struct view {
    size_t first, each;
    double from, to; /* values at the ends */
    uint64_t tallest;
} view;

static size_t bin_of(const lac_report_quantity *q, double value)
{
    double at = (value - q->low) / (q->high - q->low) * LAC_REPORT_BINS;

    return at > 0 ? at < LAC_REPORT_BINS ? (size_t)at : LAC_REPORT_BINS - 1 : 0;
}

static void add_up(const view *v, const lac_report_histogram *h, size_t bar, uint64_t *accepted, uint64_t *rejected)
{
    *accepted = *rejected = 0;
    for (size_t i = v->first + bar * v->each; i < v->first + (bar + 1) * v->each && i < LAC_REPORT_BINS; i++) {
        *accepted += h->accepted[i];
        *rejected += h->rejected[i];
    }
}

/* All values, and the threshold where it is near them. */
static view look(const lac_report_quantity *q, const lac_report_histogram *h, double threshold)
{
    double least = h->least, most = h->most, reach = 0.5 * (most - least);
    double bin = (q->high - q->low) / LAC_REPORT_BINS;
    view v;

    if (threshold < least && threshold > least - reach)
        least = threshold - bin;
    if (threshold > most && threshold < most + reach)
        most = threshold + bin;
    v.first = bin_of(q, least);
    v.each = (bin_of(q, most) - v.first) / BARS + 1;
    v.from = q->low + bin * (double)v.first;
    v.to = v.from + bin * (double)(v.each * BARS);
    v.tallest = 1;
    for (size_t bar = 0; bar < BARS; bar++) {
        uint64_t accepted, rejected;

        add_up(&v, h, bar, &accepted, &rejected);
        v.tallest = accepted + rejected > v.tallest ? accepted + rejected : v.tallest;
    }
    return v;
}

static void put_bar(FILE *page, const char *class, size_t bar, double bottom, double height, uint64_t count,
                    const view *v)
{
    double step = (v->to - v->from) / BARS, from = v->from + step * (double)bar;

    if (count > 0)
        fprintf(
            page,
            "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%.4g to %.4g: %" PRIu64
            " %s</title></rect>",
            class, (double)bar * WIDTH / BARS, HEIGHT - bottom - height, (double)WIDTH / BARS - 1, height, from,
            from + step, count, class);
}

static void put_bars(FILE *page, const lac_report_histogram *h, const view *v)
{
    for (size_t bar = 0; bar < BARS; bar++) {
        double scale = (double)(HEIGHT - 4) / (double)v->tallest;
        uint64_t accepted, rejected;

        add_up(v, h, bar, &accepted, &rejected);
        put_bar(page, "accepted", bar, 0, scale * (double)accepted, accepted, v);
        put_bar(page, "rejected", bar, scale * (double)accepted, scale * (double)rejected, rejected, v);
    }
}

static void put_threshold(FILE *page, const view *v, double threshold)
{
    double x = (threshold - v->from) / (v->to - v->from) * WIDTH;

    if (isnan(threshold) || x < 0 || x > WIDTH)
        return;
    fprintf(page,
            "<line class=\"limit\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"><title>threshold %.4g</title></line>",
            x, x, HEIGHT, threshold);
}

void lac_report_plot(FILE *page, const lac_report_quantity *q, const lac_report_histogram *h, double threshold)
{
    view v;

    if (h->count == 0)
        return;
    v = look(q, h, threshold);
    fputs("<figure><figcaption>", page);
    lac_report_escape(page, q->title);
    fprintf(page, "%s%s</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", *q->unit ? ", " : "", q->unit, WIDTH,
            HEIGHT + 16);
    put_bars(page, h, &v);
    fprintf(page, "<line class=\"axis\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", WIDTH, HEIGHT, HEIGHT);
    put_threshold(page, &v, threshold);
    fprintf(page, "<text x=\"0\" y=\"%d\">%.4g</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text></svg>",
            HEIGHT + 13, v.from, WIDTH, HEIGHT + 13, v.to);
    fprintf(page, "<small>%" PRIu64 " outputs, mean %.4g, %.4g to %.4g", h->count, h->sum / (double)h->count,
            h->least, h->most);
    if (!isnan(threshold))
        fprintf(page, "; threshold %.4g", threshold);
    fputs("</small></figure>\n", page);
}
