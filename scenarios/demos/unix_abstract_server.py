"""A server on an abstract name: a name that belongs to the network namespace, not to a path.

By hand:    python3 unix_abstract_server.py talk
and then:   python3 unix_abstract_client.py talk          (reaches it)
            unshare -rn python3 unix_abstract_client.py talk      (does not)

Where the environment has READY_FD, a line is written to that descriptor once it listens.
"""

import os
import socket
import sys

GREETING = b"You are on my host.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(name):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    number = listener.fileno()
    show("socket(AF_UNIX, SOCK_STREAM)", number)
    listener.bind("\0" + name)  # the leading zero byte, written "@", makes it abstract
    show(f"bind({number}, {'@' + name!r})", 0)
    listener.listen(1)
    show(f"listen({number}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    connection, peer = listener.accept()
    show(f"accept({number}, {peer!r})", connection.fileno())
    number = connection.fileno()
    show(f"send({number}, {GREETING!r})", connection.send(GREETING))
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} NAME")
    main(sys.argv[1])
