/* A network's impairments on recorded packets: libpcap's capture files. */
#ifndef LAC_TOOLS_NETPCAP_H
#define LAC_TOOLS_NETPCAP_H

#include "netmodel.h"
#include "netslots.h"

/* Every packet of `in` goes through the model as if sent when it was captured; those that arrive are in `out`, in
 * the order and with the times of arrival. 0, LAC_EXIT_USAGE or LAC_EXIT_FAILED after a message: also if this
 * program was built without libpcap. */
int lac_net_pcap(const char *in, const char *out, int force, lac_netmodel *model, lac_net_slots *slots);

#endif
