"""A TCP echo server: poll(2), two sockets with SO_REUSEPORT, and SO_LINGER with a time."""

import select
import socket
import struct
import sys

ROOM = 1 << 16
WAITS = select.POLLIN


def open_listener(family, address):
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind((address, int(sys.argv[1])))
    listener.listen(64)
    listener.setblocking(False)
    return listener


class Client:
    def __init__(self, connection):
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
        self.connection = connection
        self.waiting = bytearray()
        self.has_finished = False

    def wants(self):
        """What to wait for: no more is read than can be kept."""
        reads = 0 if self.has_finished or len(self.waiting) > ROOM else select.POLLIN
        return reads | (select.POLLOUT if self.waiting else 0)

    def turn(self, events):
        """Go on; False once both sides have said all."""
        if events & (select.POLLIN | select.POLLHUP | select.POLLERR) and not self.has_finished:
            data = self.connection.recv(ROOM)
            self.waiting += data
            self.has_finished = not data
        if self.waiting and events & select.POLLOUT:
            del self.waiting[: self.connection.send(self.waiting)]
        if self.has_finished and not self.waiting:
            self.connection.shutdown(socket.SHUT_WR)
            return False
        return True


poll = select.poll()
listeners = [open_listener(socket.AF_INET, "0.0.0.0"), open_listener(socket.AF_INET6, "::")]
clients = {}
for each in listeners:
    poll.register(each, select.POLLIN)
by_number = {each.fileno(): each for each in listeners}
while True:
    for number, events in poll.poll():
        if number in by_number:
            try:
                connection, _ = by_number[number].accept()
            except OSError:
                continue
            clients[connection.fileno()] = Client(connection)
            poll.register(connection, select.POLLIN)
            continue
        client = clients[number]
        try:
            goes_on = client.turn(events)
        except BlockingIOError:
            goes_on = True
        except OSError:
            goes_on = False
        if goes_on:
            poll.modify(number, client.wants())
        else:
            poll.unregister(number)
            del clients[number]
            client.connection.close()
