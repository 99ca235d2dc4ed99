/* UDP sockets, IPv4 and IPv6. They never block. */
#ifndef LAC_TOOLS_UDP_H
#define LAC_TOOLS_UDP_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct lac_address {
    struct sockaddr_storage storage;
    socklen_t size; /* 0: none */
} lac_address;

/* "HOST:PORT" or "[IPv6]:PORT". 0, LAC_EXIT_USAGE or LAC_EXIT_FAILED after a message. */
int lac_address_parse(const char *command, const char *text, lac_address *address);

/* A socket for `address` alone, called `name` in messages. 0, or LAC_EXIT_FAILED after one. */
int lac_udp_connect(int *fd, const lac_address *address, const char *name);

/* A socket on a port of one local address; `host` NULL: of all, IPv6 and IPv4. Port 0: any; *port tells which. 0,
 * or LAC_EXIT_FAILED after a message. */
int lac_udp_bind(int *fd, const char *host, uint32_t *port);

/* The next datagram that has arrived: its size, or -1 if there is none. One longer than `capacity` gives
 * capacity + 1. `from` may be NULL. */
long lac_udp_receive(int fd, uint8_t *bytes, size_t capacity, lac_address *from);

/* `to` NULL: where it is connected. Errors are those of the network, which may lose packets anyway. */
void lac_udp_send(int fd, const uint8_t *bytes, size_t size, const lac_address *to);

/* Bytes of IP and UDP headers before a payload. */
size_t lac_address_overhead(const lac_address *address);

#endif
