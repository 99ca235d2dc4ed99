#include "udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define IP4_UDP 28
#define IP6_UDP 48
#define SOCKET_BUFFER (1 << 20)

/* ---- addresses ---- */

static int resolve(const char *name, const char *host, const char *port, lac_address *address)
{
    struct addrinfo hints, *found;
    int error;

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | (host ? 0 : AI_PASSIVE);
    error = getaddrinfo(host, port, &hints, &found);
    if (error)
        return lac_report(name, "%s", error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    memset(address, 0, sizeof *address);
    memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
    address->size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int is_port(const char *text)
{
    unsigned value = 0;

    if (!*text || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
        return 0;
    for (; *text; text++)
        value = value * 10 + (unsigned)(*text - '0');
    return value >= 1 && value <= 65535;
}

int lac_address_parse(const char *command, const char *text, lac_address *address)
{
    const char *colon = strrchr(text, ':');
    char host[256];
    size_t length = colon ? (size_t)(colon - text) : 0;

    if (!length || length >= sizeof host || !is_port(colon + 1))
        return lac_report_usage(command, "'%s' is not HOST:PORT with a port of 1 to 65535", text);
    if (text[0] == '[' && colon[-1] == ']') {
        text++;
        length -= 2;
    } else if (memchr(text, ':', length)) {
        return lac_report_usage(command, "'%s': an IPv6 address stands in brackets, as [::1]:5004", text);
    }
    memcpy(host, text, length);
    host[length] = 0;
    return resolve(host, host, colon + 1, address);
}

size_t lac_address_overhead(const lac_address *address)
{
    const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&address->storage;

    return address->storage.ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&a->sin6_addr) ? IP6_UDP : IP4_UDP;
}

/* ---- sockets ---- */

static int open_socket(int *fd, int family)
{
    int size = SOCKET_BUFFER;

    *fd = socket(family, SOCK_DGRAM, 0);
    if (*fd < 0)
        return -1;
    fcntl(*fd, F_SETFD, FD_CLOEXEC);
    fcntl(*fd, F_SETFL, O_NONBLOCK);
    setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return 0;
}

int lac_udp_connect(int *fd, const lac_address *address, const char *name)
{
    if (open_socket(fd, address->storage.ss_family) ||
        connect(*fd, (const struct sockaddr *)&address->storage, address->size))
        return lac_report(name, "%s", strerror(errno));
    return 0;
}

static int bind_to(int *fd, const lac_address *address)
{
    int off = 0;

    if (open_socket(fd, address->storage.ss_family))
        return -1;
    if (address->storage.ss_family == AF_INET6)
        setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (!bind(*fd, (const struct sockaddr *)&address->storage, address->size))
        return 0;
    close(*fd);
    *fd = -1;
    return -1;
}

static uint32_t port_of(int fd)
{
    lac_address own;

    own.size = sizeof own.storage;
    if (getsockname(fd, (struct sockaddr *)&own.storage, &own.size))
        return 0;
    return ntohs(own.storage.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own.storage)->sin6_port
                                                   : ((struct sockaddr_in *)&own.storage)->sin_port);
}

int lac_udp_bind(int *fd, const char *host, uint32_t *port)
{
    char text[16];
    lac_address address;
    int failed;

    snprintf(text, sizeof text, "%u", *port);
    failed = resolve(host ? host : text, host ? host : "::", text, &address);
    if (!failed && bind_to(fd, &address)) {
        int without_ip6 = !host && errno != EADDRINUSE && errno != EACCES;

        if (!without_ip6 || (failed = resolve(text, "0.0.0.0", text, &address)) != 0 || bind_to(fd, &address))
            return failed ? failed : lac_report(host ? host : "UDP", "port %u: %s", *port, strerror(errno));
    }
    if (!failed)
        *port = port_of(*fd);
    return failed;
}

long lac_udp_receive(int fd, uint8_t *bytes, size_t capacity, lac_address *from)
{
    struct iovec part = {bytes, capacity};
    struct msghdr message;
    ssize_t size;

    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (from) {
        memset(from, 0, sizeof *from);
        message.msg_name = &from->storage;
        message.msg_namelen = sizeof from->storage;
    }
    do
        size = recvmsg(fd, &message, 0);
    while (size < 0 && (errno == EINTR || errno == ECONNREFUSED)); /* nobody listens there, so far */
    if (size < 0)
        return -1;
    if (from)
        from->size = message.msg_namelen;
    return message.msg_flags & MSG_TRUNC ? (long)capacity + 1 : (long)size;
}

void lac_udp_send(int fd, const uint8_t *bytes, size_t size, const lac_address *to)
{
    /* The first try may only tell that an earlier datagram met nobody. */
    for (int tries = 0; tries < 2; tries++)
        if (sendto(fd, bytes, size, 0, to ? (const struct sockaddr *)&to->storage : NULL, to ? to->size : 0) >= 0)
            return;
}
