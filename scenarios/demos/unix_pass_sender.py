"""A client that passes one end of its own pipe to a server. Prints each call.

By hand:    python3 unix_pass_sender.py /tmp/pass
with unix_pass_receiver.py running there.
"""

import os
import socket
import struct
import sys

SECRET = b"Only I had this pipe."


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
    reading, writing = os.pipe()
    show(f"pipe([{reading}, {writing}])", 0)
    show(f"fstat({reading}, {{'st_ino': {os.fstat(reading).st_ino}}})", 0)
    show(f"write({writing}, {SECRET!r})", os.write(writing, SECRET))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    number = connection.fileno()
    show("socket(AF_UNIX, SOCK_STREAM)", number)
    connection.connect(path)
    show(f"connect({number}, {path!r})", 0)
    show_who(connection)
    message = b"Take this."
    sent = socket.send_fds(connection, [message], [reading])
    show(f"sendmsg({number}, {message!r}, SCM_RIGHTS, [{reading}])", sent)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PATH")
    main(sys.argv[1])
