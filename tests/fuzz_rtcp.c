/* Fuzz target of what datagrams meet first: RTP's header and RTCP. What is read must be written and read alike. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rtcp.h"
#include "rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rtcp(const uint8_t *data, size_t size)
{
    lac_rtcp_report report, back;
    uint8_t bytes[LAC_RTCP_BYTES];
    if (lac_rtcp_parse(data, size, &report))
        return;
    size_t written = lac_rtcp_write(bytes, &report);
    if (written > sizeof bytes || lac_rtcp_parse(bytes, written, &back))
        abort();
    /* Nothing stands behind the end of a CNAME that holds zeros. */
    memset(report.cname + strlen(report.cname), 0, sizeof report.cname - strlen(report.cname));
    if (memcmp(&report, &back, sizeof report))
        abort();
}

static void check_rtp(const uint8_t *data, size_t size)
{
    lac_rtp_header h;
    lac_rtp_source source;
    const uint8_t *payload;
    size_t payload_size;
    if (lac_rtp_parse(data, size, &h, &payload, &payload_size))
        return;
    if (payload < data || payload + payload_size > data + size)
        abort();
    lac_rtp_source_start(&source, &h, 24000);
    for (size_t i = 0; i + 8 <= payload_size; i += 8) {
        memcpy(&h.sequence, payload + i, 2);
        memcpy(&h.timestamp, payload + i + 4, 4);
        lac_rtp_source_count(&source, &h, (uint64_t)h.timestamp * 977);
    }
    (void)lac_rtp_source_fraction(&source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_rtp(data, size);
    check_rtcp(data, size);
    return 0;
}
