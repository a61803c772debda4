/* A TCP echo server: echo PORT, a thread for each client. The port is in the host's byte order. */

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *echo(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char data[2048];
    ssize_t length;

    while ((length = read(fd, data, sizeof data)) > 0) {
        char *from = data;
        while (length > 0) {
            ssize_t written = write(fd, from, length);
            if (written <= 0)
                break;
            from += written;
            length -= written;
        }
        if (length > 0)
            break;
    }
    close(fd);
    return NULL;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in6 here = {0};
    int on = 1, off = 0;
    int server = socket(AF_INET6, SOCK_STREAM, 0);

    if (argc < 2)
        return 1;
    signal(SIGPIPE, SIG_IGN);
    here.sin6_family = AF_INET6;
    here.sin6_addr = in6addr_any;
    here.sin6_port = (in_port_t)strtol(argv[1], NULL, 10);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(server, (struct sockaddr *)&here, sizeof here) != 0 || listen(server, 20) != 0) {
        perror("echo");
        return 1;
    }
    for (;;) {
        pthread_t thread;
        int fd = accept(server, NULL, NULL);
        if (fd < 0)
            continue;
        if (pthread_create(&thread, NULL, echo, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
        else
            close(fd);
    }
}
