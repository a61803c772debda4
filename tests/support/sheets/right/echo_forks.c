/* A TCP echo server: two sockets, one of each family, and a process for each client. */

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

static int open_listener(int family, const char *port)
{
    struct addrinfo hints, *found;
    int fd, one = 1;

    memset(&hints, 0, sizeof hints);
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    if (getaddrinfo(NULL, port, &hints, &found) != 0)
        exit(1);
    fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 32) != 0) {
        perror("cannot listen");
        exit(1);
    }
    freeaddrinfo(found);
    return fd;
}

static void serve(int fd)
{
    char buffer[1000];
    ssize_t got, sent, done;

    while ((got = read(fd, buffer, sizeof buffer)) > 0)
        for (done = 0; done < got; done += sent)
            if ((sent = write(fd, buffer + done, got - done)) < 0)
                return;
}

int main(int argc, char **argv)
{
    struct pollfd both[2];

    if (argc < 2)
        return 1;
    signal(SIGCHLD, SIG_IGN);
    both[0].fd = open_listener(AF_INET, argv[1]);
    both[1].fd = open_listener(AF_INET6, argv[1]);
    both[0].events = both[1].events = POLLIN;
    while (poll(both, 2, -1) > 0)
        for (int i = 0; i < 2; i++)
            if (both[i].revents) {
                int fd = accept(both[i].fd, NULL, NULL);
                if (fork() == 0) {
                    serve(fd);
                    exit(0);
                }
                close(fd);
            }
    return 1;
}
