"""Datagrams into a unix socket that nobody reads, until it takes no more; then all are read.

By hand:    python3 unix_queue.py /tmp/queue
            python3 unix_queue.py                   (no name: socketpair)
"""

import errno
import os
import socket
import struct
import sys
import time

PATIENCE_US = 20_000


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def pair(path):
    """A sender connected to a receiver, which is bound to the path if there is one."""
    if not path:
        sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        show(f"socketpair(AF_UNIX, SOCK_DGRAM, {[sender.fileno(), receiver.fileno()]})", 0)
        # Nothing but the sender's buffer limits these two; the kernel makes of 1 its least.
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        show(f"setsockopt({sender.fileno()}, SOL_SOCKET, SO_SNDBUF, 1)", 0)
        return sender, receiver
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    show("socket(AF_UNIX, SOCK_DGRAM)", receiver.fileno())
    receiver.bind(path)
    show(f"bind({receiver.fileno()}, {path!r})", 0)
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    show("socket(AF_UNIX, SOCK_DGRAM)", sender.fileno())
    sender.connect(path)
    show(f"connect({sender.fileno()}, {path!r})", 0)
    return sender, receiver


def send(sender, count, flag):
    """Send the datagram of that number; whether the socket took it."""
    message = b"datagram %d" % count
    call = f"send({sender.fileno()}, {message!r}, {flag})"
    try:
        show(call, sender.send(message, socket.MSG_DONTWAIT if flag == "MSG_DONTWAIT" else 0))
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
        return False
    return True


def read(receiver):
    """Read a datagram without waiting; whether there was one."""
    call = f"recv({receiver.fileno()}"
    try:
        data = receiver.recv(64, socket.MSG_DONTWAIT)
    except OSError as error:
        show(f"{call}, b'', 64, MSG_DONTWAIT)", f"-1 {errno.errorcode[error.errno]}")
        return False
    show(f"{call}, {data!r}, 64, MSG_DONTWAIT)", len(data))
    return True


def show_clock():
    show(f"clock_gettime(CLOCK_MONOTONIC, {time.monotonic_ns()})", 0)


def main(path):
    sender, receiver = pair(path)
    count = 1
    while send(sender, count, "MSG_DONTWAIT"):
        count += 1
    # Without MSG_DONTWAIT the call waits until there is room, here for a while only.
    number = sender.fileno()
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, PATIENCE_US))
    show(f"setsockopt({number}, SOL_SOCKET, SO_SNDTIMEO, (0, {PATIENCE_US}))", 0)
    show_clock()
    send(sender, count, "0")
    show_clock()
    read(receiver)
    send(sender, count, "0")
    while read(receiver):
        pass
    if path:
        os.unlink(path)
        show(f"unlink({path!r})", 0)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(f"usage: {sys.argv[0]} [PATH]")
    main("".join(sys.argv[1:]))
