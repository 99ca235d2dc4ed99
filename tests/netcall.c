#include "netcall.h"

#include <string.h>

#include "rng.h"

#define FRAME_US 20000

int netcall_open(netcall *call, const lac_model *model, const netsim_settings *network,
                 const lac_packetizer_settings *packets, const lac_receiver_settings *receiver)
{
    memset(call, 0, sizeof *call);
    netsim_start(&call->network, network);
    lac_model_get_info(model, &call->info);
    int status = lac_packetizer_open(&call->packetizer, model, packets);
    if (!status)
        status = lac_receiver_open(&call->receiver, model, receiver);
    if (status)
        netcall_close(call);
    return status;
}

void netcall_close(netcall *call)
{
    lac_packetizer_close(&call->packetizer);
    lac_receiver_close(&call->receiver);
}

void netcall_tokens(const lac_model_info *info, uint64_t frame, uint16_t *tokens)
{
    for (uint32_t i = 0; i < info->codebooks; i++)
        tokens[i] = (uint16_t)(lac_hash32(frame * LAC_MAX_CODEBOOKS + i) % info->codewords);
}

static int send_frame(netcall *call)
{
    uint16_t tokens[LAC_MAX_CODEBOOKS];
    lac_packet packet;
    int ready, active = call->talk == 0 || call->frame / call->talk % 2 == 0;
    netcall_tokens(&call->info, call->frame, tokens);
    int status = lac_packetizer_write(call->packetizer, tokens, call->info.codebooks, active, &packet, &ready);
    if (!status && ready) {
        netsim_packet p = {.timestamp = call->timestamp + (uint32_t)(packet.frame * call->info.frame_samples),
                           .size = packet.size, .sequence = call->sequence++, .marker = packet.marker};
        memcpy(p.data, packet.data, packet.size);
        netsim_send(&call->network, call->frame * FRAME_US, &p);
    }
    call->frame++;
    return status;
}

int netcall_put(netcall *call)
{
    netsim_packet packet;
    int status = 0;
    while (!status && netsim_clock(&call->network, call->frame * FRAME_US) <= call->now_us)
        status = send_frame(call);
    while (!status && netsim_receive(&call->network, call->now_us, &packet)) {
        lac_rtp rtp = netsim_rtp(&packet);
        status = lac_receiver_put(call->receiver, &rtp, call->polled ? call->now_us : packet.arrival_us);
        status = status == LAC_ERROR_LIMIT ? 0 : status;
    }
    call->now_us += NETCALL_STEP_US;
    return status;
}

int netcall_step(netcall *call, float *pcm)
{
    int status = netcall_put(call);
    return status ? status : lac_receiver_get(call->receiver, pcm, NETCALL_STEP);
}
