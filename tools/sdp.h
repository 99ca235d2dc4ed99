/* The session description (SDP, RFC 8866) of what `lac send` sends, as doc/rtp-payload.md has it. */
#ifndef LAC_TOOLS_SDP_H
#define LAC_TOOLS_SDP_H

#include <stdint.h>
#include <stdio.h>

#include "lac/model.h"
#include "udp.h"

typedef struct lac_sdp {
    const lac_address *to;
    uint32_t payload_type;
    uint32_t ssrc;
    const char *cname;
    uint32_t codebooks;   /* most of a frame */
    uint32_t frames;      /* of a packet */
    uint32_t dtx;
    uint32_t redundancy;  /* blocks of a packet */
    uint32_t coded;       /* 1: by the model's prior */
    const uint8_t *key;   /* [LAC_SECURE_KEY], NULL: in the clear */
    const lac_model_info *model;
} lac_sdp;

/* 0, or -1 if writing failed. */
int lac_sdp_write(FILE *file, const lac_sdp *sdp);

#endif
