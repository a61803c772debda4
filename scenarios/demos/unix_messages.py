"""Three messages through a unix socket of any type, read by a reader with little room.

By hand:    python3 unix_messages.py SOCK_STREAM /tmp/talk
            python3 unix_messages.py SOCK_SEQPACKET @talk       (an abstract name)
            python3 unix_messages.py SOCK_DGRAM                 (no name: socketpair)

Both ends are in this one program, so that all is sent before anything is read.
"""

import errno
import os
import socket
import sys

READ_SIZE = 16
MESSAGES = (b"One. ", b"Two does not fit into sixteen bytes. ", b"Three. ")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def attempt(call, function, *arguments):
    """Make a call that may fail, and print it with what it returned or its errno."""
    try:
        show(call, function(*arguments) or 0)
    except OSError as error:
        # Linux has one number for EOPNOTSUPP and ENOTSUP; the manual says EOPNOTSUPP.
        name = errno.errorcode[error.errno].replace("ENOTSUP", "EOPNOTSUPP")
        show(call, f"-1 {name}")


def unnamed(kind):
    """Two sockets that are connected from the start, and no address to send to."""
    sender, receiver = socket.socketpair(socket.AF_UNIX, kind)
    numbers = [sender.fileno(), receiver.fileno()]
    show(f"socketpair(AF_UNIX, {kind.name}, {numbers})", 0)
    return sender, receiver, None


def named(kind, name):
    """Two sockets, one bound to the name; connected, unless datagrams are sent to the name."""
    address = "\0" + name[1:] if name.startswith("@") else name
    receiver, sender = socket.socket(socket.AF_UNIX, kind), socket.socket(socket.AF_UNIX, kind)
    reads, writes = receiver.fileno(), sender.fileno()
    show(f"socket(AF_UNIX, {kind.name})", reads)
    show(f"socket(AF_UNIX, {kind.name})", writes)
    receiver.bind(address)
    show(f"bind({reads}, {name!r})", 0)
    attempt(f"send({writes}, b'Too early.')", sender.send, b"Too early.")
    attempt(f"listen({reads}, 1)", receiver.listen, 1)
    if kind == socket.SOCK_DGRAM:
        return sender, receiver, address
    attempt(f"connect({writes}, {name!r})", sender.connect, address)
    connection, peer = receiver.accept()
    show(f"accept({reads}, {peer!r})", connection.fileno())
    return sender, connection, None


def read_one(receiver):
    """One read that does not wait; whether there was anything."""
    call = f"recvmsg({receiver.fileno()}"
    try:
        data, _, flags, _ = receiver.recvmsg(READ_SIZE, 0, socket.MSG_DONTWAIT)
    except OSError as error:
        show(f"{call}, b'', {READ_SIZE}, 0)", f"-1 {errno.errorcode[error.errno]}")
        return False
    flag = "MSG_TRUNC" if flags & socket.MSG_TRUNC else "0"
    show(f"{call}, {data!r}, {READ_SIZE}, {flag})", len(data))
    return bool(data)


def main(kind, name):
    sender, receiver, address = named(kind, name) if name else unnamed(kind)
    number = sender.fileno()
    for message in MESSAGES:
        if address:
            sent = sender.sendto(message, address)
            show(f"sendto({number}, {message!r}, {name!r})", sent)
        else:
            show(f"send({number}, {message!r})", sender.send(message))
    while read_one(receiver):
        pass
    sender.close()
    show(f"close({number})", 0)
    # Is that the end? A connection has one, datagrams have none.
    read_one(receiver)
    if name and not name.startswith("@"):
        os.unlink(name)
        show(f"unlink({name!r})", 0)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: {sys.argv[0]} TYPE [PATH | @NAME]")
    main(socket.SocketKind[sys.argv[1]], "".join(sys.argv[2:]))
