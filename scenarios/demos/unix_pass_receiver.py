"""A server that is passed an open descriptor, reads from it, and learns who passed it.

By hand:    python3 unix_pass_receiver.py /tmp/pass
and then:   python3 unix_pass_sender.py /tmp/pass

Where the environment has READY_FD, a line is written to that descriptor once it listens.
"""

import os
import socket
import struct
import sys


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def show_who(connection):
    """Print what the kernel says of the peer, and what this program is itself."""
    number = connection.fileno()
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, gid = struct.unpack("3i", data)
    show(f"getsockopt({number}, SOL_SOCKET, SO_PEERCRED, ({pid}, {uid}, {gid}))", 0)
    show("getpid()", os.getpid())
    show("geteuid()", os.geteuid())
    show("getegid()", os.getegid())


def main(path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    show("socket(AF_UNIX, SOCK_STREAM)", listener.fileno())
    listener.bind(path)
    show(f"bind({listener.fileno()}, {path!r})", 0)
    listener.listen(1)
    show(f"listen({listener.fileno()}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    connection, peer = listener.accept()
    show(f"accept({listener.fileno()}, {peer!r})", connection.fileno())
    show_who(connection)
    # The descriptor comes with at least one byte of data.
    data, descriptors, _, _ = socket.recv_fds(connection, 64, 1)
    show(f"recvmsg({connection.fileno()}, {data!r}, SCM_RIGHTS, {descriptors})", len(data))
    for passed in descriptors:
        show(f"fstat({passed}, {{'st_ino': {os.fstat(passed).st_ino}}})", 0)
        text = os.read(passed, 64)
        show(f"read({passed}, {text!r}, 64)", len(text))
    os.unlink(path)
    show(f"unlink({path!r})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PATH")
    main(sys.argv[1])
