"""Unix sockets without a file: an abstract name, and no name at all. Prints each call.

By hand:    python3 unix_names.py talk
"""

import errno
import socket
import sys


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def new_socket():
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    show("socket(AF_UNIX, SOCK_STREAM)", made.fileno())
    return made


def bind(one, name):
    # The leading zero byte makes the name abstract; it is written "@".
    call = f"bind({one.fileno()}, {'@' + name!r})"
    try:
        one.bind("\0" + name)
        show(call, 0)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")


def close(one):
    number = one.fileno()
    one.close()
    show(f"close({number})", 0)


def use_an_abstract_name(name):
    first, second = new_socket(), new_socket()
    bind(first, name)
    bind(second, name)
    close(first)
    # Nothing to unlink: the name went with its socket.
    bind(second, name)
    close(second)


def use_no_name():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    show(f"socketpair(AF_UNIX, SOCK_STREAM, [{one.fileno()}, {other.fileno()}])", 0)
    for end in (one, other):
        show(f"getsockname({end.fileno()}, {end.getsockname()!r})", 0)
    for sender, receiver, message in ((one, other, b"ping"), (other, one, b"pong")):
        show(f"send({sender.fileno()}, {message!r})", sender.send(message))
        data = receiver.recv(16)
        show(f"recv({receiver.fileno()}, {data!r}, 16)", len(data))
    close(one)
    close(other)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} NAME")
    use_an_abstract_name(sys.argv[1])
    use_no_name()
