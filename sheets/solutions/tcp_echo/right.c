/* A TCP echo server: echo PORT. One thread, poll(2), and sockets that do not block. */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 200, SIZE = 16384 };

/* What came and is to be sent back: buffer[begin] up to buffer[end]. */
struct client {
    size_t begin, end;
    char buffer[SIZE];
};

static struct pollfd watched[MOST]; /* the first one listens */
static struct client *clients[MOST];
static nfds_t count = 1;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(unsigned short port)
{
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(port),
        .sin6_addr = IN6ADDR_ANY_INIT,
    };
    int no = 0, yes = 1;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
        fail("socket");
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("bind");
    if (listen(fd, SOMAXCONN) < 0)
        fail("listen");
    return fd;
}

/* Returns 0 when there is nothing more to do for the client. */
static int serve(int fd, struct client *client)
{
    ssize_t n;
    if (client->begin == client->end) {
        n = recv(fd, client->buffer, SIZE, 0);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return 0;
        client->begin = 0;
        client->end = n;
    }
    n = send(fd, client->buffer + client->begin, client->end - client->begin, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    client->begin += n;
    return 1;
}

static void welcome(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (count == MOST) {
        close(fd);
        return;
    }
    clients[count] = calloc(1, sizeof *clients[count]);
    if (clients[count] == NULL)
        fail("calloc");
    watched[count].fd = fd;
    watched[count].revents = 0;
    count++;
}

static void drop(nfds_t i)
{
    close(watched[i].fd);
    free(clients[i]);
    count--;
    watched[i] = watched[count];
    clients[i] = clients[count];
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    watched[0].fd = listen_on(atoi(argv[1]));
    watched[0].events = POLLIN;
    for (;;) {
        for (nfds_t i = 1; i < count; i++)
            watched[i].events = clients[i]->begin < clients[i]->end ? POLLOUT : POLLIN;
        if (poll(watched, count, -1) < 0 && errno != EINTR)
            fail("poll");
        for (nfds_t i = count - 1; i > 0; i--)
            if (watched[i].revents && !serve(watched[i].fd, clients[i]))
                drop(i);
        if (watched[0].revents)
            welcome(watched[0].fd);
    }
}
