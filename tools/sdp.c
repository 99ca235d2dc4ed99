#include "sdp.h"

#include <netdb.h>

#include "secure.h"

#define BASE64_SIZE (4 * ((LAC_SECURE_KEY + 2) / 3) + 1)

/* LAC_SECURE_KEY is a multiple of 3: no padding. */
static void base64(const uint8_t *bytes, char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (int i = 0; i < LAC_SECURE_KEY; i += 3, text += 4) {
        uint32_t bits = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

        for (int k = 0; k < 4; k++)
            text[k] = letters[bits >> (18 - 6 * k) & 63];
    }
    *text = 0;
}

static void write_id(FILE *f, const uint8_t *id)
{
    for (int i = 0; i < LAC_MODEL_ID_SIZE; i++)
        fprintf(f, "%02x", id[i]);
}

static void write_parameters(FILE *f, const lac_sdp *s)
{
    fprintf(f, "a=fmtp:%u model=", s->payload_type);
    write_id(f, s->model->id);
    fprintf(f, "; token-bits=%u; frame=%u; codebooks=%u; dtx=%u; redundancy=%u", s->model->token_bits,
            s->model->frame_samples, s->codebooks, s->dtx, s->redundancy);
    if (s->coded) {
        fprintf(f, "; prior=");
        write_id(f, s->model->prior_id);
    }
    fprintf(f, "\r\n");
}

static void write_media(FILE *f, const lac_sdp *s, const char *port)
{
    char key[BASE64_SIZE];
    uint32_t frame_ms = 1000 * s->model->frame_samples / s->model->sample_rate;

    fprintf(f, "m=audio %s RTP/%s %u\r\n", port, s->key ? "SAVP" : "AVP", s->payload_type);
    fprintf(f, "a=rtpmap:%u lac/%u\r\n", s->payload_type, s->model->sample_rate);
    write_parameters(f, s);
    fprintf(f, "a=ptime:%u\r\na=maxptime:%u\r\na=rtcp-mux\r\na=sendonly\r\n", frame_ms * s->frames,
            frame_ms * s->frames);
    fprintf(f, "a=ssrc:%u cname:%s\r\n", s->ssrc, s->cname);
    if (s->key) {
        base64(s->key, key);
        fprintf(f, "a=crypto:1 " LAC_SECURE_SUITE " inline:%s\r\n", key);
    }
}

int lac_sdp_write(FILE *f, const lac_sdp *s)
{
    char host[256];
    char port[16];
    int family = s->to->storage.ss_family == AF_INET6 ? 6 : 4;

    if (getnameinfo((const struct sockaddr *)&s->to->storage, s->to->size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return -1;
    fprintf(f, "v=0\r\no=- %u 0 IN IP%d %s\r\ns=Lac\r\nc=IN IP%d %s\r\nt=0 0\r\n", s->ssrc, family, host, family,
            host);
    write_media(f, s, port);
    return ferror(f) ? -1 : 0;
}
