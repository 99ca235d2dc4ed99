#include "scan.h"

#include <string.h>

#include "bytes.h"

bool lac_scan_plausible(uint64_t page_number, uint64_t offset)
{
    return page_number <= offset / LAC_PAGE_MIN + LAC_PAGE_SLACK;
}

static bool page_fits(const lac_scan *s, const lac_page *p, uint64_t offset)
{
    uint64_t first = (uint64_t)p->number * LAC_PAGE_FRAMES, past = first + p->frames;
    if (s->last_seen || first < s->next_frame || !lac_scan_plausible(p->number, offset))
        return false;
    if (!s->end_known)
        return true;
    if (past > s->end.frames || offset + p->size > s->end_offset)
        return false;
    return p->frames == LAC_PAGE_FRAMES || past == s->end.frames;
}

static bool end_fits(const lac_scan *s, const lac_end *end, uint64_t offset)
{
    uint64_t pages = (end->frames + LAC_PAGE_FRAMES - 1) / LAC_PAGE_FRAMES;
    if (!lac_stream_format_equal(&end->format, s->format) || !lac_scan_plausible(pages, offset))
        return false;
    return s->last_seen ? end->frames == s->next_frame : end->frames >= s->next_frame;
}

static bool checksum_right(const lac_window *w, size_t size)
{
    return lac_load32(lac_window_at(w) + size - 4) == lac_window_crc(w, size - 4);
}

/* *found: a sound audio page stands at the cursor. */
static int try_page(const lac_scan *s, lac_window *w, lac_item *item, bool *found)
{
    int status = lac_page_parse(&item->page, s->format, lac_window_at(w), lac_window_count(w));
    *found = false;
    if (status != LAC_OK || !page_fits(s, &item->page, lac_window_position(w)))
        return LAC_OK;
    if ((status = lac_window_need(w, item->page.size)) != LAC_OK)
        return status;
    if (lac_window_count(w) < item->page.size || !checksum_right(w, item->page.size))
        return LAC_OK;
    *found = lac_page_padding_zero(&item->page, lac_window_at(w));
    item->kind = LAC_ITEM_PAGE;
    return LAC_OK;
}

/* *found: a sound end page stands at the cursor. */
static int try_end(lac_scan *s, lac_window *w, lac_item *item, bool *found)
{
    size_t size = lac_end_size(lac_window_at(w), lac_window_count(w));
    lac_end end;
    int status = lac_window_need(w, size);
    *found = false;
    if (status != LAC_OK)
        return status;
    if (size == 0 || lac_window_count(w) < size || !checksum_right(w, size))
        return LAC_OK;
    if (lac_end_parse(&end, s->runs, lac_window_at(w), size) != LAC_OK || !end_fits(s, &end, lac_window_position(w)))
        return LAC_OK;
    s->end = end;
    s->end_known = *found = true;
    s->end_offset = lac_window_position(w);
    item->kind = LAC_ITEM_END;
    return LAC_OK;
}

/* Move the cursor past its byte to the next one that may start a sync mark, or to the end of what is there. */
static void advance_to_mark(lac_window *w, uint64_t stop)
{
    lac_window_advance(w, 1);
    size_t count = lac_window_count(w);
    if (stop - lac_window_position(w) < count)
        count = (size_t)(stop - lac_window_position(w));
    const uint8_t *mark = count > 0 ? memchr(lac_window_at(w), LAC_PAGE_SYNC_0, count) : NULL;
    lac_window_advance(w, mark ? (size_t)(mark - lac_window_at(w)) : count);
}

int lac_scan_next(lac_scan *s, lac_window *w, lac_item *item)
{
    uint64_t stop = s->end_known ? s->end_offset : UINT64_MAX;
    bool found = false;
    item->damage = false;
    while (!found) {
        int status = lac_window_need(w, LAC_PAGE_HEAD_MAX);
        if (status != LAC_OK)
            return status;
        item->kind = lac_window_position(w) >= stop ? LAC_ITEM_END : LAC_ITEM_NOTHING;
        if (item->kind == LAC_ITEM_END || lac_window_count(w) == 0)
            break;
        if (lac_window_count(w) > 2 && (lac_window_at(w)[2] & 0x3f) == LAC_PAGE_KIND_END)
            status = s->end_known || s->end_refused ? LAC_OK : try_end(s, w, item, &found);
        else
            status = try_page(s, w, item, &found);
        if (status != LAC_OK)
            return status;
        if (!found) {
            item->damage = true;
            advance_to_mark(w, stop);
        }
    }
    item->offset = lac_window_position(w);
    return LAC_OK;
}
