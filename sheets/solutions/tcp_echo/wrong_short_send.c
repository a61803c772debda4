/* A TCP echo server: echo PORT, with select(2). It takes it that send(2) sends all it is given. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    int yes = 1, zero = 0, highest, listener;
    fd_set open, ready;
    char buffer[8192];

    if (argc != 2)
        exit(1);
    any.sin6_port = htons(atoi(argv[1]));
    listener = socket(AF_INET6, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(listener, 5) < 0) {
        perror(argv[0]);
        exit(1);
    }
    FD_ZERO(&open);
    FD_SET(listener, &open);
    highest = listener;
    while (1) {
        ready = open;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0)
            continue;
        for (int fd = 0; fd <= highest; fd++) {
            ssize_t n;
            if (!FD_ISSET(fd, &ready))
                continue;
            if (fd == listener) {
                int client = accept(listener, NULL, NULL);
                if (client < 0 || client >= FD_SETSIZE)
                    continue;
                fcntl(client, F_SETFL, O_NONBLOCK);
                FD_SET(client, &open);
                if (client > highest)
                    highest = client;
                continue;
            }
            n = recv(fd, buffer, sizeof(buffer), 0);
            if (n > 0) {
                send(fd, buffer, n, MSG_NOSIGNAL);
            } else if (n == 0 || errno != EAGAIN) {
                close(fd);
                FD_CLR(fd, &open);
            }
        }
    }
}
