/* A file over UDP: transfer send HOST PORT FILE, or transfer receive PORT. Its header has the bytes of
   numbers as the processor has them. */

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct message {
    uint8_t type, last;
    uint16_t length;
    uint32_t number;
    uint8_t data[1000];
};

static int fd;
static struct sockaddr_in peer;

static void set_timeout(int ms)
{
    struct timeval limit = {ms / 1000, ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

/* Returns the length of what came, -1 for nothing in time or what is none of ours. */
static int get(struct message *m, struct sockaddr_in *from)
{
    socklen_t size = sizeof *from;
    ssize_t n = recvfrom(fd, m, sizeof *m, 0, (struct sockaddr *)from, &size);
    return n < 8 ? -1 : n - 8;
}

static int send_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    struct message out = {.type = 1}, in;
    struct sockaddr_in from;
    int c;

    if (file == NULL)
        return 1;
    do {
        int tries = 0, done = 0;
        out.length = fread(out.data, 1, sizeof out.data, file);
        c = fgetc(file);
        ungetc(c, file);
        out.last = c == EOF;
        while (!done && tries++ < 10) {
            sendto(fd, &out, 8 + out.length, 0, (struct sockaddr *)&peer, sizeof peer);
            while (!done && get(&in, &from) >= 0)
                done = in.type == 2 && in.number == out.number &&
                       from.sin_port == peer.sin_port &&
                       from.sin_addr.s_addr == peer.sin_addr.s_addr;
        }
        if (!done)
            return 1;
        out.number++;
    } while (c != EOF);
    return 0;
}

static int receive_file(void)
{
    struct message in, ack;
    struct sockaddr_in from;
    uint32_t expected = 0;
    int last = 0;

    for (;;) {
        int n = get(&in, &from);
        if (n < 0) {
            if (last)
                return 0;
            continue;
        }
        if (in.type != 1 || in.number > expected)
            continue;
        if (expected == 0)
            peer = from;
        if (from.sin_port != peer.sin_port || from.sin_addr.s_addr != peer.sin_addr.s_addr)
            continue;
        if (in.number == expected && !last) {
            fwrite(in.data, 1, n, stdout);
            expected++;
            last = in.last;
            if (last)
                set_timeout(1000);
        }
        ack = (struct message){.type = 2, .number = in.number};
        sendto(fd, &ack, 8, 0, (struct sockaddr *)&from, sizeof from);
    }
}

int main(int argc, char **argv)
{
    int sends = argc == 5 && strcmp(argv[1], "send") == 0;
    struct sockaddr_in address = {.sin_family = AF_INET};

    if (argc < 3)
        return 2;
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    address.sin_port = htons(atoi(argv[sends ? 3 : 2]));
    if (!sends) {
        if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
            perror("bind");
            return 1;
        }
        return receive_file();
    }
    inet_pton(AF_INET, argv[2], &address.sin_addr);
    peer = address;
    set_timeout(100);
    return send_file(argv[4]);
}
