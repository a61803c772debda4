/* A file over UDP, stop-and-wait: transfer send HOST PORT FILE, or transfer receive PORT. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DATA = 1, ACK = 2, LAST = 1, BLOCK = 1000, TIMEOUT_MS = 100, TRIES = 10, LINGER_MS = 1000 };

struct header {
    uint8_t type, flags;
    uint16_t length;
    uint32_t number;
};

struct datagram {
    struct header header;
    char data[BLOCK];
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in address_of(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    if (host == NULL)
        address.sin_addr.s_addr = htonl(INADDR_ANY);
    else if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        fail(host);
    return address;
}

static void put_header(struct datagram *out, int type, int flags, int length, uint32_t number)
{
    out->header.type = type;
    out->header.flags = flags;
    out->header.length = htons(length);
    out->header.number = htonl(number);
}

/* Returns 0 where it is none of ours. */
static int take_header(struct datagram *in, ssize_t size)
{
    if (size < (ssize_t)sizeof in->header)
        return 0;
    in->header.length = ntohs(in->header.length);
    in->header.number = ntohl(in->header.number);
    return size == (ssize_t)sizeof in->header + in->header.length;
}

static int is_same(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

/* Returns 0 where nothing comes in time; a negative time has no end. */
static int wait_for(int fd, int ms)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    return poll(&watched, 1, ms) > 0;
}

static ssize_t take(int fd, struct datagram *in, struct sockaddr_in *from)
{
    socklen_t length = sizeof *from;
    return recvfrom(fd, in, sizeof *in, 0, (struct sockaddr *)from, &length);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Sends it until its ACK comes; returns 0 where none does. */
static int deliver(int fd, const struct sockaddr_in *to, const struct datagram *out, int length,
                   uint32_t number)
{
    for (int i = 0; i < TRIES; i++) {
        int64_t until = now_ms() + TIMEOUT_MS, left;
        sendto(fd, out, sizeof out->header + length, 0, (struct sockaddr *)to, sizeof *to);
        while ((left = until - now_ms()) > 0 && wait_for(fd, left)) {
            struct datagram in;
            struct sockaddr_in from;
            ssize_t size = take(fd, &in, &from);
            if (!take_header(&in, size) || !is_same(&from, to))
                continue;
            if (in.header.type == ACK && in.header.number == number)
                return 1;
        }
    }
    return 0;
}

static int send_file(const char *host, const char *port, const char *name)
{
    struct sockaddr_in to = address_of(host, port);
    struct datagram out;
    char next[BLOCK];
    FILE *file = fopen(name, "rb");
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int length, following;
    if (file == NULL || fd < 0)
        fail(name);
    length = fread(out.data, 1, BLOCK, file);
    for (uint32_t number = 0;; number++) {
        following = fread(next, 1, BLOCK, file);
        put_header(&out, DATA, following == 0 ? LAST : 0, length, number);
        if (!deliver(fd, &to, &out, length, number)) {
            fprintf(stderr, "no ACK of number %u\n", number);
            return 1;
        }
        if (following == 0)
            return 0;
        memcpy(out.data, next, following);
        length = following;
    }
}

static int receive_file(const char *port)
{
    struct sockaddr_in here = address_of(NULL, port), peer = {0}, from;
    struct datagram in, out;
    uint32_t expected = 0;
    int complete = 0;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) < 0)
        fail("bind");
    while (wait_for(fd, complete ? LINGER_MS : -1)) {
        ssize_t size = take(fd, &in, &from);
        if (!take_header(&in, size) || in.header.type != DATA)
            continue;
        if (expected > 0 && !is_same(&from, &peer))
            continue;
        if (in.header.number == expected && !complete) {
            peer = from;
            fwrite(in.data, 1, in.header.length, stdout);
            fflush(stdout);
            expected++;
            complete = in.header.flags & LAST;
        }
        if (in.header.number < expected) {
            put_header(&out, ACK, 0, 0, in.header.number);
            sendto(fd, &out, sizeof out.header, 0, (struct sockaddr *)&from, sizeof from);
        }
    }
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc == 5 && strcmp(argv[1], "send") == 0)
        return send_file(argv[2], argv[3], argv[4]);
    if (argc == 3 && strcmp(argv[1], "receive") == 0)
        return receive_file(argv[2]);
    fprintf(stderr, "usage: %s send HOST PORT FILE | receive PORT\n", argv[0]);
    return 2;
}
