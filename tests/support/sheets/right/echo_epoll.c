/* A TCP echo server: epoll(7), edge-triggered, and a pipe for each client: splice(2). */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    int connection, in, out; /* the pipe's ends */
    size_t kept;             /* bytes in the pipe */
    int has_finished;
};

static void leave(struct client *one)
{
    close(one->connection);
    close(one->in);
    close(one->out);
    free(one);
}

/* Moves what can be moved; whether the connection goes on. */
static int serve(struct client *one)
{
    for (;;) {
        ssize_t got = -1, sent = -1;
        int is_over = 0;

        if (!one->has_finished) {
            got = splice(one->connection, NULL, one->out, NULL, 1 << 16, SPLICE_F_NONBLOCK);
            if (got > 0)
                one->kept += got;
            else if (got == 0)
                one->has_finished = 1;
            else if (errno != EAGAIN)
                is_over = 1;
        }
        if (one->kept > 0 && !is_over) {
            sent = splice(one->in, NULL, one->connection, NULL, one->kept, SPLICE_F_NONBLOCK);
            if (sent > 0)
                one->kept -= sent;
            else if (sent < 0 && errno != EAGAIN)
                is_over = 1;
        }
        if (is_over)
            return 0;
        if (one->has_finished && one->kept == 0)
            return shutdown(one->connection, SHUT_WR), 0;
        if (got < 0 && sent <= 0)
            return 1; /* nothing can be moved now: an edge will tell */
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, off = 0;
    int queue = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};

    if (argc != 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    all.sin6_port = htons(atoi(argv[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener, (struct sockaddr *)&all, sizeof all) < 0 || listen(listener, 64) < 0) {
        perror("echo");
        return 1;
    }
    epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        if (epoll_wait(queue, &event, 1, -1) < 1)
            continue;
        if (event.data.ptr) {
            if (!serve(event.data.ptr))
                leave(event.data.ptr);
            continue;
        }
        int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK), ends[2];

        if (connection < 0)
            continue;
        if (pipe2(ends, O_NONBLOCK) < 0) {
            close(connection);
            continue;
        }
        struct client *one = calloc(1, sizeof *one);

        one->connection = connection, one->in = ends[0], one->out = ends[1];
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.ptr = one;
        epoll_ctl(queue, EPOLL_CTL_ADD, connection, &event);
    }
}
