/* Numbers in network order. */
#ifndef LAC_TOOLS_NETBYTES_H
#define LAC_TOOLS_NETBYTES_H

#include <stdint.h>

static inline uint32_t lac_net_get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t lac_net_get32(const uint8_t *p)
{
    return lac_net_get16(p) << 16 | lac_net_get16(p + 2);
}

static inline void lac_net_put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void lac_net_put32(uint8_t *p, uint32_t value)
{
    lac_net_put16(p, value >> 16);
    lac_net_put16(p + 2, value);
}

#endif
