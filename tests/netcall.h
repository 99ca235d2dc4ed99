/* A call in simulated time: packetizer, network, receiver. Tokens are a function of the frame's index alone. */
#ifndef LAC_TESTS_NETCALL_H
#define LAC_TESTS_NETCALL_H

#include "netsim.h"

#define NETCALL_STEP_US 10000
#define NETCALL_STEP 240 /* samples */

typedef struct netcall {
    netsim network;
    lac_model_info info;
    lac_packetizer *packetizer;
    lac_receiver *receiver;
    uint64_t now_us, frame; /* time of the next step; the next frame sent */
    uint64_t talk;          /* frames of speech, then as many of noise; 0: all speech */
    bool polled;            /* arrivals are put down as the time of the step */
    uint32_t timestamp;     /* of frame 0 */
    uint16_t sequence;
} netcall;

/* NULL: default settings. 0 or a status. */
int netcall_open(netcall *call, const lac_model *model, const netsim_settings *network,
                 const lac_packetizer_settings *packets, const lac_receiver_settings *receiver);
void netcall_close(netcall *call);

/* A frame's tokens [Q]. */
void netcall_tokens(const lac_model_info *info, uint64_t frame, uint16_t *tokens);

/* Ten milliseconds: what is due is sent and put, then pcm [NETCALL_STEP] got. Packets that come where no stream is
 * (LAC_ERROR_LIMIT) are left to the receiver's statistics. */
int netcall_step(netcall *call, float *pcm);

/* The same without get. */
int netcall_put(netcall *call);

#endif
