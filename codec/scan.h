/* Finds the next sound page in a window, past whatever is damaged. */
#ifndef LAC_CODEC_SCAN_H
#define LAC_CODEC_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "page.h"
#include "window.h"

enum lac_item_kind { LAC_ITEM_PAGE, LAC_ITEM_END, LAC_ITEM_NOTHING };

/* What may follow, by what has been read so far. */
typedef struct lac_scan {
    const lac_stream_format *format;
    lac_run *runs;          /* [LAC_END_MAX_RUNS], for an end page that is met */
    uint64_t next_frame;    /* pages may start here or later */
    bool last_seen;         /* a short page was read: only the end may follow */
    bool end_known;         /* end is what the end page says, and it stands at end_offset */
    uint64_t end_offset;
    bool end_refused;       /* it contradicts the model: no end page is taken any more */
    lac_end end;
} lac_scan;

typedef struct lac_item {
    enum lac_item_kind kind;
    lac_page page;          /* of LAC_ITEM_PAGE */
    uint64_t offset;        /* where it starts: the cursor of the window */
    bool damage;            /* bytes before it were no sound page */
} lac_item;

/* The next sound page at the cursor or after, which the cursor is moved to; LAC_ITEM_NOTHING at the end of the input.
 * Finding the end page sets s->end, end_known and end_offset. A page counts as sound only if its checksum is right and
 * its number can be: see "Plausible pages" in doc/bitstream.md. 0 or LAC_ERROR_IO; then call again or give up.
 * Time: O(1) for each byte passed, with LAC_PAGE_HEAD_MAX + 2 * LAC_WINDOW_STEP bytes looked at, at most. */
int lac_scan_next(lac_scan *s, lac_window *w, lac_item *item);

/* Does the number of missing pages before a page at `offset` stay within what the file's size allows? */
bool lac_scan_plausible(uint64_t page_number, uint64_t offset);

#endif
