"""What an internet socket does with a descriptor to pass, and what it knows of its peer.

By hand:    python3 inet_pass.py 127.0.0.1

Both ends are in this one program; compare unix_pass_sender.py and unix_pass_receiver.py.
"""

import array
import errno
import os
import socket
import struct
import sys

MESSAGE = b"Take this."


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def pair(domain, kind, address):
    """Two sockets, connected."""
    receiver = socket.socket(domain, kind)
    show(f"socket({domain.name}, {kind.name})", receiver.fileno())
    receiver.bind((address, 0))
    place = receiver.getsockname()[:2]
    show(f"bind({receiver.fileno()}, {place})", 0)
    if kind == socket.SOCK_STREAM:
        receiver.listen(1)
        show(f"listen({receiver.fileno()}, 1)", 0)
    sender = socket.socket(domain, kind)
    show(f"socket({domain.name}, {kind.name})", sender.fileno())
    sender.connect(place)
    show(f"connect({sender.fileno()}, {place})", 0)
    if kind == socket.SOCK_STREAM:
        connection, peer = receiver.accept()
        show(f"accept({receiver.fileno()}, {peer[:2]})", connection.fileno())
        receiver.close()
        return sender, connection
    return sender, receiver


def pass_descriptor(sender, receiver, descriptor):
    number = sender.fileno()
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
    call = f"sendmsg({number}, {MESSAGE!r}, SCM_RIGHTS, [{descriptor}])"
    try:
        show(call, sender.sendmsg([MESSAGE], [rights]))
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
        return
    data, descriptors, _, _ = socket.recv_fds(receiver, 64, 1)
    show(f"recvmsg({receiver.fileno()}, {data!r}, SCM_RIGHTS, {descriptors})", len(data))


def ask_who(connection):
    call = f"getsockopt({connection.fileno()}, SOL_SOCKET, SO_PEERCRED"
    size = struct.calcsize("3i")
    try:
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    except OSError as error:
        show(f"{call})", f"-1 {errno.errorcode[error.errno]}")
        return
    pid, uid, gid = struct.unpack("3i", data)
    show(f"{call}, ({pid}, {uid}, {gid}))", 0)


def main(address):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    reading, writing = os.pipe()
    show(f"pipe([{reading}, {writing}])", 0)
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        sender, receiver = pair(domain, kind, address)
        pass_descriptor(sender, receiver, reading)
        ask_who(receiver)
        sender.close()
        receiver.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS")
    main(sys.argv[1])
