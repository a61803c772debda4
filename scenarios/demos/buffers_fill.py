"""Fills both ways of a socketpair, of two pipes and of two FIFOs, and shows what each way took.

By hand:    python3 buffers_fill.py /tmp

FIFOs are made in that folder. Every descriptor is non-blocking: a write that would have to
wait fails with EAGAIN instead. A table ends the page.
"""

import errno
import fcntl
import os
import socket
import struct
import sys
import termios

READ_SIZE = 1 << 24  # more than any of them holds
SIZES = (512, 4096)
THERE, BACK = b">", b"<"
PAGE = os.sysconf("SC_PAGESIZE")


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def fill(writer, letter, size):
    """Write until EAGAIN; the memory that one write takes (None if unknown), and their number."""
    call = f"write({writer}, {letter!r} * {size})"
    show(call, os.write(writer, letter * size))
    weight = memory_held(writer)
    writes = 1
    try:
        while os.write(writer, letter * size):
            writes += 1
    except BlockingIOError as error:
        print(f"# {writes - 1} more went through")
        show(call, f"-1 {errno.errorcode[error.errno]}")
    memory_held(writer)
    return weight, writes


def memory_held(writer):
    """The kernel memory that what was written and not yet read takes up (unix sockets only)."""
    try:
        # SIOCOUTQ is TIOCOUTQ. For a unix socket it counts memory, not bytes.
        answer = fcntl.ioctl(writer, termios.TIOCOUTQ, bytes(4))
    except OSError:
        return None
    (held,) = struct.unpack("i", answer)
    show(f"ioctl({writer}, SIOCOUTQ)", held)
    return held


def drain(reader, letter):
    """Read until nothing is left; how many bytes there were."""
    taken = 0
    try:
        while data := os.read(reader, READ_SIZE):
            alike = data == letter * len(data)
            text = f"{letter!r} * {len(data)}" if alike else repr(data)
            show(f"read({reader}, {text}, {READ_SIZE})", len(data))
            taken += len(data)
    except BlockingIOError as error:
        show(f"read({reader}, b'', {READ_SIZE})", f"-1 {errno.errorcode[error.errno]}")
    return taken


def open_socketpair(_):
    near, far = (end.detach() for end in socket.socketpair())
    show(f"socketpair(AF_UNIX, SOCK_STREAM, [{near}, {far}])", 0)
    return (near, far), (far, near)


def open_pipes(_):
    ways = []
    for _ in range(2):
        reader, writer = os.pipe()
        show(f"pipe([{reader}, {writer}])", 0)
        ways.append((writer, reader))
    return ways


def open_fifos(folder):
    ways = []
    for name in ("fill-there", "fill-back"):
        path = os.path.join(folder, name)
        os.mkfifo(path)
        show(f"mkfifo({path!r})", 0)
        # In this order neither has to wait for the other.
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        show(f"open({path!r}, O_RDONLY | O_NONBLOCK)", reader)
        writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        show(f"open({path!r}, O_WRONLY | O_NONBLOCK)", writer)
        os.unlink(path)
        ways.append((writer, reader))
    return ways


def limit_of(writer):
    """What the kernel allows one way, as it says itself."""
    try:
        limit = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
        show(f"fcntl({writer}, F_GETPIPE_SZ)", limit)
        return limit, f"{limit} bytes: {limit // PAGE} pages of {PAGE}"
    except OSError:
        end = socket.socket(fileno=os.dup(writer))
        limit = end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        end.close()
        show(f"getsockopt({writer}, SOL_SOCKET, SO_SNDBUF)", limit)
        return limit, f"{limit} of memory"


def main(folder):
    show("sysconf(SC_PAGESIZE)", PAGE)
    rows = []
    kinds = (("socketpair", open_socketpair), ("pipes", open_pipes), ("FIFOs", open_fifos))
    for name, open_ways in kinds:
        (writer, reader), (back_writer, back_reader) = ways = open_ways(folder)
        for descriptor in {end for way in ways for end in way}:
            os.set_blocking(descriptor, False)
        for size in SIZES:
            _, limit = limit_of(writer)
            weight, writes = fill(writer, THERE, size)
            # Full one way. The other way takes just as much, arrives, and frees nothing here.
            fill(back_writer, BACK, size)
            back = drain(back_reader, BACK)
            try:
                os.write(writer, THERE * size)
            except BlockingIOError as error:
                call = f"write({writer}, {THERE!r} * {size})"
                show(call, f"-1 {errno.errorcode[error.errno]}")
            there = drain(reader, THERE)
            if weight:
                limit += f", {weight} a write"
            rows.append(f"# {name:<11}{size:>5} x{writes:>4} {there:>7} {back:>7}  {limit}")
    print(f"# {'':<11}{'writes':>11} {'there':>7} {'back':>7}  limit, each way")
    print("\n".join(rows), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    main(sys.argv[1])
