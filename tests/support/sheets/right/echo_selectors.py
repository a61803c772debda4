"""A TCP echo server: one thread, selectors, and sockets that do not block."""

import selectors
import socket
import sys

selector = selectors.DefaultSelector()


class Client:
    def __init__(self):
        self.pending = bytearray()
        self.has_finished = False


def accept(listener):
    connection, _ = listener.accept()
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ, Client())


def serve(connection, client, events):
    if events & selectors.EVENT_READ:
        data = connection.recv(4096)
        if not data:
            client.has_finished = True
        client.pending += data
    if client.pending:
        sent = connection.send(client.pending)
        del client.pending[:sent]
    if client.has_finished and not client.pending:
        drop(connection)
        return
    wanted = 0
    if not client.has_finished and len(client.pending) < 20000:
        wanted |= selectors.EVENT_READ
    if client.pending:
        wanted |= selectors.EVENT_WRITE
    selector.modify(connection, wanted, client)


def drop(connection):
    selector.unregister(connection)
    connection.close()


def main():
    listener = socket.create_server(
        ("", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True
    )
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, events in selector.select():
            if key.data is None:
                accept(key.fileobj)
                continue
            try:
                serve(key.fileobj, key.data, events)
            except BlockingIOError:
                pass
            except OSError:
                drop(key.fileobj)


main()
