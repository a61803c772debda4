"""A file over UDP, stop-and-wait: connected sockets, and select."""

import select
import socket
import sys
import time


def header(kind, flags, length, number):
    return bytes([kind, flags]) + length.to_bytes(2, "big") + number.to_bytes(4, "big")


class Sender:
    def __init__(self, host, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, port))
        self.number = 0

    def deliver(self, data, is_last):
        wanted = header(2, 0, 0, self.number)
        for _ in range(10):
            try:
                self.socket.send(header(1, is_last, len(data), self.number) + data)
            except ConnectionRefusedError:
                pass
            if self.comes(wanted, time.monotonic() + 0.12):
                self.number += 1
                return
        sys.exit("nobody answers")

    def comes(self, wanted, until):
        while True:
            left = max(0, until - time.monotonic())
            if not select.select([self.socket], [], [], left)[0]:
                return False
            try:
                if self.socket.recv(1500) == wanted:
                    return True
            except ConnectionRefusedError:
                pass


def send(host, port, name):
    sender = Sender(host, int(port))
    with open(name, "rb") as file:
        block = file.read(1000)
        while True:
            following = file.read(1000)
            sender.deliver(block, not following)
            if not following:
                break
            block = following


def receive(port):
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("0.0.0.0", int(port)))
    number, is_done, parts = 0, False, []
    while not is_done or select.select([receiver], [], [], 1)[0]:
        try:
            datagram, address = receiver.recvfrom(65535)
        except ConnectionRefusedError:  # the sender had ended when an old DATA was acknowledged
            continue
        if len(datagram) < 8 or datagram[0] != 1:
            continue
        if int.from_bytes(datagram[2:4], "big") != len(datagram) - 8:
            continue
        came = int.from_bytes(datagram[4:8], "big")
        if came == number == 0:
            receiver.connect(address)
        if came == number and not is_done:
            parts.append(datagram[8:])
            number += 1
            is_done = datagram[1] == 1
        if came < number:
            try:
                receiver.send(header(2, 0, 0, came))
            except ConnectionRefusedError:
                pass
    sys.stdout.buffer.write(b"".join(parts))


command, *arguments = sys.argv[1:]
{"send": send, "receive": receive}[command](*arguments)
