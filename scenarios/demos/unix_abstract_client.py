"""A client that tries to reach an abstract name; whether it may depends on where it runs.

By hand:    python3 unix_abstract_client.py talk
with unix_abstract_server.py running there.

Where the environment has READY_FD, a line is written to that descriptor after the attempt.
"""

import errno
import os
import socket
import sys


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(name):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    number = connection.fileno()
    show("socket(AF_UNIX, SOCK_STREAM)", number)
    try:
        connection.connect("\0" + name)
        result = "0"
    except OSError as error:
        result = f"-1 {errno.errorcode[error.errno]}"
    show(f"connect({number}, {'@' + name!r})", result)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"tried\n")
    while result == "0":
        data = connection.recv(4096)
        show(f"recv({number}, {data!r}, 4096)", len(data))
        if not data:
            break
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} NAME")
    main(sys.argv[1])
