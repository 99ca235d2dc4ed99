/* Reading .lac files: header, end page, one page after the other, verification. readaudio.c decodes. */
#include "reader.h"

#include <string.h>

#include "bytes.h"

/* ---- open ---- */

static void lay_out(lac_workspace *m, lac_reader *r)
{
    r->window.data = lac_workspace_take(m, LAC_WINDOW_SIZE, 1);
    r->window.checks = lac_workspace_take(m, LAC_WINDOW_SIZE / LAC_WINDOW_STEP + 1, sizeof(uint32_t));
    r->scan.runs = lac_workspace_take(m, LAC_END_MAX_RUNS, sizeof(lac_run));
}

static int open_memory(lac_reader *r)
{
    lac_workspace measure = lac_workspace_measure();
    lay_out(&measure, r);
    int status = measure.failed ? LAC_ERROR_LIMIT : lac_workspace_open(&r->memory, measure.used);
    if (status == LAC_OK)
        lay_out(&r->memory, r);
    return status;
}

static int copy_tags(lac_reader *r, const lac_header *h, const uint8_t *data)
{
    if (h->tag_bytes == 0)
        return LAC_OK;
    r->tags = lac_alloc(h->tag_bytes);
    if (!r->tags)
        return LAC_ERROR_MEMORY;
    memcpy(r->tags, data + h->tag_offset, h->tag_bytes);
    r->tag_bytes = h->tag_bytes;
    lac_tags_valid(r->tags, r->tag_bytes, &r->tag_count);
    return LAC_OK;
}

static int read_header(lac_reader *r)
{
    lac_header h = {.size = LAC_HEADER_MIN};
    int status;
    do {
        if ((status = lac_window_need(&r->window, h.size)) != LAC_OK)
            return status;
        status = lac_header_parse(&h, lac_window_at(&r->window), lac_window_count(&r->window));
    } while (status == LAC_ERROR_TRUNCATED && h.size > lac_window_count(&r->window) && !r->window.ended);
    if (status != LAC_OK)
        return status;
    r->format = h.format;
    r->first_page = h.size;
    return copy_tags(r, &h, lac_window_at(&r->window));
}

/* Read the end page that ends at `size`. Returns LAC_ERROR_FORMAT if there is none. */
static int read_end(lac_reader *r, uint64_t size, lac_end *end, uint64_t *offset)
{
    lac_window *w = &r->window;
    int status;
    if (size < LAC_HEADER_MIN + LAC_END_MIN)
        return LAC_ERROR_FORMAT;
    if ((status = lac_window_seek(w, size - 6)) != LAC_OK || (status = lac_window_need(w, 6)) != LAC_OK)
        return status;
    size_t length = lac_window_count(w) >= 6 ? lac_load16(lac_window_at(w)) : 0;
    if (length < LAC_END_MIN || length > LAC_PAGE_MAX || length > size - LAC_HEADER_MIN)
        return LAC_ERROR_FORMAT;
    *offset = size - length;
    if ((status = lac_window_seek(w, *offset)) != LAC_OK || (status = lac_window_need(w, length)) != LAC_OK)
        return status;
    const uint8_t *data = lac_window_at(w);
    if (lac_window_count(w) < length || lac_load32(data + length - 4) != lac_crc32c(0, data, length - 4))
        return LAC_ERROR_FORMAT;
    return lac_end_parse(end, r->scan.runs, data, length);
}

static bool probe_size(lac_reader *r, uint64_t *size)
{
    const lac_io *io = &r->window.io;
    int64_t bytes = io->seek && io->size ? io->size(io->user) : -1;
    *size = bytes < 0 ? 0 : (uint64_t)bytes;
    return bytes >= 0;
}

/* Learn the totals from the input's end; with a damaged header, all that the header would tell. */
static int locate_end(lac_reader *r, int header_status)
{
    uint64_t size, offset = 0;
    lac_end end;
    if (!r->window.io.seek || !probe_size(r, &size))
        return header_status;
    int status = read_end(r, size, &end, &offset);
    r->can_seek = status != LAC_ERROR_NOT_SEEKABLE;
    if (status == LAC_ERROR_IO)
        return status;
    if (status == LAC_OK && header_status != LAC_OK) {
        r->format = end.format;
        r->first_page = offset == end.position ? end.header_size : 0; /* else it may stand anywhere */
        r->info.damaged_pages++;
        header_status = LAC_OK;
    }
    uint64_t pages = status == LAC_OK ? (end.frames + LAC_PAGE_FRAMES - 1) / LAC_PAGE_FRAMES : 0;
    if (status == LAC_OK && lac_stream_format_equal(&end.format, &r->format) && lac_scan_plausible(pages, offset)) {
        r->scan.end = end;
        r->scan.end_offset = offset;
        r->scan.end_known = true;
        r->located = offset == end.position && r->first_page == end.header_size;
    }
    return header_status;
}

static void publish_totals(lac_reader *r)
{
    if (!r->scan.end_known)
        return;
    r->info.samples = r->scan.end.samples;
    r->info.frames = r->scan.end.frames;
    r->info.pages = (r->scan.end.frames + LAC_PAGE_FRAMES - 1) / LAC_PAGE_FRAMES;
}

static void init_info(lac_reader *r)
{
    lac_stream_info *i = &r->info;
    i->format_version = LAC_STREAM_VERSION;
    memcpy(i->model_id, r->format.model_id, LAC_STREAM_ID_SIZE);
    i->original_rate = r->format.original_rate;
    i->channels = r->format.channels;
    i->samples = i->model_samples = i->frames = UINT64_MAX;
    i->bytes = r->first_page;
    publish_totals(r);
}

static int open_stream(lac_reader *r, const lac_io *io)
{
    int status = open_memory(r);
    if (status != LAC_OK)
        return status;
    lac_window_init(&r->window, io);
    status = read_header(r);
    if (status == LAC_ERROR_MEMORY || status == LAC_ERROR_IO)
        return status;
    status = locate_end(r, status);
    if (status != LAC_OK)
        return status;
    r->scan.format = &r->format;
    init_info(r);
    if (lac_window_position(&r->window) == 0) {
        lac_window_advance(&r->window, (size_t)r->first_page);
        return LAC_OK;
    }
    return lac_window_seek(&r->window, r->first_page);
}

int lac_reader_open(lac_reader **reader, const lac_io *io)
{
    if (!reader || !io || !io->read)
        return LAC_ERROR_ARGUMENT;
    lac_reader *r = lac_alloc(sizeof *r);
    if (!r)
        return LAC_ERROR_MEMORY;
    int status = open_stream(r, io);
    if (status != LAC_OK)
        lac_reader_close(&r);
    else
        *reader = r;
    return status;
}

void lac_reader_close(lac_reader **reader)
{
    if (!reader || !*reader)
        return;
    lac_reader_audio_close(&(*reader)->audio);
    lac_workspace_close(&(*reader)->memory);
    lac_free((*reader)->tags);
    lac_free(*reader);
    *reader = NULL;
}

void lac_reader_get_info(const lac_reader *reader, lac_stream_info *info)
{
    *info = reader->info;
}

size_t lac_reader_tag_count(const lac_reader *reader)
{
    return reader->tag_count;
}

int lac_reader_tag(const lac_reader *reader, size_t index, lac_tag *tag)
{
    const char *at = (const char *)reader->tags;
    if (index >= reader->tag_count)
        return LAC_ERROR_ARGUMENT;
    for (size_t i = 0; i < 2 * index; i++)
        at += strlen(at) + 1;
    tag->name = at;
    tag->value = at + strlen(at) + 1;
    return LAC_OK;
}

/* ---- pages ---- */

static void count_codebooks(lac_stream_info *info, const lac_page *p, bool first)
{
    for (uint32_t i = 0; i < p->frames; i++) {
        uint32_t n = p->codebooks[i];
        if ((first && i == 0) || n < info->min_codebooks)
            info->min_codebooks = n;
        if (n > info->max_codebooks)
            info->max_codebooks = n;
    }
}

/* `missing` pages before what was found; damage without a missing page still is one damaged place. */
static void count_item(lac_reader *r, const lac_item *item, uint64_t missing)
{
    lac_stream_info *i = &r->info;
    if (item->offset < r->seen)
        return;
    i->damaged_pages += missing > 0 ? missing : item->damage;
    if (item->kind == LAC_ITEM_PAGE) {
        count_codebooks(i, &item->page, !r->met_page);
        r->met_page = true;
        i->payload_bits += item->page.payload_bits + 8 * item->page.list_size;
        i->plain_bits += item->page.plain_bits;
        i->adaptive_pages += item->page.coding == LAC_PAGE_ADAPTIVE;
        i->prior_pages += item->page.coding >= LAC_PAGE_PRIOR;
        if (!r->scan.end_known)
            i->pages = (uint64_t)item->page.number + 1;
    }
    if (item->kind == LAC_ITEM_NOTHING)
        i->truncated = 1;
    r->seen = item->offset + 1;
}

int lac_reader_fetch(lac_reader *r)
{
    if (r->has_ahead)
        return LAC_OK;
    int status = lac_scan_next(&r->scan, &r->window, &r->ahead);
    if (status != LAC_OK)
        return status;
    uint64_t here = r->scan.next_frame, there = here;
    if (r->ahead.kind == LAC_ITEM_PAGE)
        there = (uint64_t)r->ahead.page.number * LAC_PAGE_FRAMES;
    if (r->ahead.kind == LAC_ITEM_END) {
        there = r->scan.end.frames;
        publish_totals(r);
    }
    uint64_t missing = there > here ? (there - here + LAC_PAGE_FRAMES - 1) / LAC_PAGE_FRAMES : 0;
    count_item(r, &r->ahead, missing);
    uint64_t past = r->ahead.offset + (r->ahead.kind == LAC_ITEM_PAGE  ? r->ahead.page.size
                                       : r->ahead.kind == LAC_ITEM_END ? r->scan.end.size
                                                                       : 0);
    if (past > r->info.bytes)
        r->info.bytes = past;
    r->has_ahead = true;
    return LAC_OK;
}

void lac_reader_consume(lac_reader *r)
{
    const lac_page *p = &r->ahead.page;
    lac_window_advance(&r->window, p->size);
    r->scan.next_frame = (uint64_t)p->number * LAC_PAGE_FRAMES + p->frames;
    r->scan.last_seen = p->frames < LAC_PAGE_FRAMES;
    r->has_ahead = false;
}

int lac_reader_jump(lac_reader *r, uint64_t offset, uint64_t frame)
{
    int status = lac_window_seek(&r->window, offset);
    if (status != LAC_OK)
        return status;
    r->scan.next_frame = frame;
    r->scan.last_seen = false;
    r->has_ahead = false;
    return LAC_OK;
}

void lac_reader_reject_page(lac_reader *r)
{
    if (r->ahead.offset < r->rejected)
        return;
    r->info.damaged_pages++;
    r->rejected = r->ahead.offset + 1;
}

void lac_reader_reject_end(lac_reader *r)
{
    r->scan.end_known = r->located = false;
    r->scan.end_refused = true;
    r->info.samples = r->info.frames = UINT64_MAX;
    r->info.damaged_pages++;
    r->info.truncated = 1;
    if (r->has_ahead && r->ahead.kind == LAC_ITEM_END)
        r->ahead.kind = LAC_ITEM_NOTHING;
}

/* Bytes after the end page are damage too: something was added. */
static int check_tail(lac_reader *r)
{
    size_t size = r->scan.end.size;
    int status = lac_window_need(&r->window, size + 1);
    if (status == LAC_OK && lac_window_count(&r->window) > size)
        r->info.damaged_pages++;
    return status;
}

int lac_reader_verify(lac_reader *r)
{
    int status;
    if (r->has_read)
        return LAC_ERROR_STATE;
    while ((status = lac_reader_fetch(r)) == LAC_OK && r->ahead.kind == LAC_ITEM_PAGE)
        lac_reader_consume(r);
    if (status == LAC_OK && r->ahead.kind == LAC_ITEM_END)
        status = check_tail(r);
    if (status != LAC_OK)
        return status;
    uint64_t cut = r->info.truncated && r->ahead.damage;
    r->has_read = !r->can_seek;
    if (r->can_seek && (status = lac_reader_jump(r, r->first_page, 0)) != LAC_OK)
        return status;
    if (r->info.damaged_pages > cut)
        return LAC_ERROR_CHECKSUM;
    return r->info.truncated ? LAC_ERROR_TRUNCATED : LAC_OK;
}
