"""A unix stream server that serves one client and prints what each of its calls returned.

By hand:    python3 unix_stream_server.py /tmp/talk
and then:   python3 unix_stream_client.py /tmp/talk

If the environment has READY_FD, a line is written to that descriptor once the server listens.
If it has CHECKPOINT_FD, a line is written to that once all has come and nothing is read, and
the server waits for a line before it goes on.
"""

import array
import fcntl
import os
import select
import socket
import sys
import termios

READ_SIZE = 16  # smaller than some of the client's messages, on purpose
REPLIES = (b"I read ", b"what you wrote, ", b"not how you cut it.\n")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def wait_for_all(connection):
    """Wait until the client has said all that it has to say; read nothing of it."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    poll.poll()
    number = connection.fileno()
    show(f"fstat({number}, {{'st_ino': {os.fstat(number).st_ino}}})", 0)
    waiting = array.array("i", [0])
    fcntl.ioctl(number, termios.FIONREAD, waiting)
    show(f"ioctl({number}, FIONREAD, {waiting[0]})", 0)
    if "CHECKPOINT_FD" in os.environ:
        checkpoint = int(os.environ["CHECKPOINT_FD"])
        os.write(checkpoint, b"unread\n")
        os.read(checkpoint, 100)


def main(path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    number = listener.fileno()
    show("socket(AF_UNIX, SOCK_STREAM)", number)
    listener.bind(path)
    show(f"bind({number}, {path!r})", 0)
    listener.listen(1)
    show(f"listen({number}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    connection, peer = listener.accept()
    show(f"accept({number}, {peer!r})", connection.fileno())
    wait_for_all(connection)
    number = connection.fileno()
    # A stream has no messages: read what there is until the client has nothing more to say.
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    for reply in REPLIES:
        show(f"send({number}, {reply!r})", connection.send(reply))
    connection.close()
    show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)
    os.unlink(path)  # the path outlives its socket
    show(f"unlink({path!r})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PATH")
    main(sys.argv[1])
