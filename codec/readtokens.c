/* Reading .lac files: tokens as they stand in the pages, without decoding. */
#include <string.h>

#include "reader.h"

/* Frames from audio.frame on that have no tokens, to `until`, but as many as fit. */
static void lose(lac_reader_audio *a, uint64_t until)
{
    uint64_t frames = until - a->frame;
    a->token_count = frames < LAC_PAGE_FRAMES ? (size_t)frames : LAC_PAGE_FRAMES;
    memset(a->codebooks, 0, sizeof a->codebooks);
    a->frame += a->token_count;
}

static int take_page(lac_reader *r)
{
    lac_reader_audio *a = &r->audio;
    lac_page p;
    int status = lac_reader_unpack(r, &p);
    if (status == LAC_ERROR_FORMAT)
        lose(a, a->frame + p.frames);
    else if (status == LAC_OK) {
        memcpy(a->codebooks, p.codebooks, p.frames);
        a->token_count = p.frames;
        a->frame += p.frames;
    }
    return status == LAC_ERROR_FORMAT ? LAC_OK : status;
}

/* The next frames to a->tokens; token_count stays 0 at the end. */
static int refill(lac_reader *r)
{
    lac_reader_audio *a = &r->audio;
    int status = LAC_OK;
    a->token_count = a->token_used = 0;
    while (a->token_count == 0 && (status = lac_reader_fetch_audio(r)) == LAC_OK) {
        uint64_t there = lac_reader_ahead(r);
        if (a->frame < there)
            lose(a, there);
        else if (r->ahead.kind != LAC_ITEM_PAGE)
            break;
        else if (a->frame > there)
            lac_reader_consume(r); /* on the way to where a seek wants to start */
        else if ((status = take_page(r)) != LAC_OK)
            break;
    }
    return status;
}

/* Frame `from` of what is there; what its rows do not use is zero. */
static void copy(const lac_reader *r, size_t from, uint16_t *rows)
{
    const lac_reader_audio *a = &r->audio;
    size_t q = a->model.codebooks, used = a->codebooks[from];
    for (uint32_t c = 0; c < r->format.channels; c++) {
        memset(rows + c * q, 0, q * sizeof *rows);
        memcpy(rows + c * q, a->tokens[c] + from * q, used * sizeof *rows);
    }
}

/* Drop what is to drop of what is there: false if that is all. */
static bool is_there(lac_reader_audio *a)
{
    size_t count = a->token_count - a->token_used, drop = a->drop < count ? (size_t)a->drop : count;
    a->token_used += drop;
    a->drop -= drop;
    return a->token_used < a->token_count;
}

static int begin(lac_reader *r)
{
    lac_reader_audio *a = &r->audio;
    if (!r->started || a->gives == LAC_READER_GIVES_SOUND)
        return LAC_ERROR_STATE;
    if (a->gives == LAC_READER_GIVES_ANY)
        a->drop = 0; /* the delay is of sound */
    a->gives = LAC_READER_GIVES_TOKENS;
    r->has_read = true;
    return LAC_OK;
}

int lac_reader_read_tokens(lac_reader *r, uint16_t *tokens, uint8_t *codebooks, size_t capacity, size_t *frames)
{
    lac_reader_audio *a = &r->audio;
    size_t row = (size_t)r->format.channels * a->model.codebooks, done = 0;
    int status = begin(r);
    if (status != LAC_OK)
        return status;
    *frames = 0;
    while (done < capacity) {
        if (!is_there(a)) {
            status = refill(r);
            if (status != LAC_OK || a->token_count == 0)
                break;
            continue;
        }
        codebooks[done] = a->codebooks[a->token_used];
        copy(r, a->token_used++, tokens + row * done++);
        a->position++;
    }
    *frames = done;
    return done > 0 ? LAC_OK : status;
}

int lac_reader_seek_frame(lac_reader *r, uint64_t frame)
{
    lac_reader_audio *a = &r->audio;
    uint64_t page = frame / LAC_PAGE_FRAMES, number;
    int status = begin(r);
    if (status != LAC_OK)
        return status;
    if (page > LAC_STREAM_MAX_PAGES)
        page = LAC_STREAM_MAX_PAGES;
    if (!r->can_seek && frame < a->position)
        return LAC_ERROR_NOT_SEEKABLE;
    if (!r->can_seek) {
        a->drop += frame - a->position;
        a->position = frame;
        return LAC_OK;
    }
    uint64_t offset = lac_reader_look_up(r, page, &number);
    status = lac_reader_jump(r, offset, number * LAC_PAGE_FRAMES);
    if (status != LAC_OK)
        return status;
    a->token_count = a->token_used = 0;
    a->frame = page * LAC_PAGE_FRAMES;
    a->drop = frame - a->frame;
    a->position = frame;
    return LAC_OK;
}
