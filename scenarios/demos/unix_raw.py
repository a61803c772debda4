"""What becomes of SOCK_RAW in the unix domain. Prints each call.

By hand:    python3 unix_raw.py
"""

import errno
import socket


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main():
    try:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_RAW)
    except OSError as error:
        show("socket(AF_UNIX, SOCK_RAW)", f"-1 {errno.errorcode[error.errno]}")
        return
    number = made.fileno()
    show("socket(AF_UNIX, SOCK_RAW)", number)
    kind = made.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    show(f"getsockopt({number}, SOL_SOCKET, SO_TYPE, {socket.SocketKind(kind).name})", 0)


if __name__ == "__main__":
    main()
