"""Programs that use sockets by rings of io_uring(7), for `wirelab run`: no library is needed.

Source: io_uring_setup(2), io_uring_enter(2); include/uapi/linux/io_uring.h.
"""

from __future__ import annotations

RING = """
import ctypes, mmap, os, socket, struct
READV, WRITEV, SENDMSG, RECVMSG, ACCEPT, CANCEL, CONNECT = 1, 2, 9, 10, 13, 14, 16
CLOSE, READ, WRITE, SEND, RECV, SPLICE, BUFFERS, SHUTDOWN = 19, 22, 23, 26, 27, 30, 31, 34
SOCKET, SEND_ZC = 45, 47
FIXED, LINK, SELECT = 1, 4, 32
MORE, NOTIFICATION = 2, 8
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

class Ring:
    def __init__(self, flags=0):
        parameters = bytearray(120)
        struct.pack_into("<II", parameters, 8, flags, 0)
        at = (ctypes.c_char * 120).from_buffer(parameters)
        self.fd = libc.syscall(425, 16, at)
        assert self.fd >= 0, ctypes.get_errno()
        entries, completions = struct.unpack_from("<II", parameters)
        self.sq = struct.unpack_from("<8I", parameters, 40)
        self.cq = struct.unpack_from("<8I", parameters, 80)
        size = max(self.sq[6] + 4 * entries, self.cq[5] + 16 * completions)
        self.queue = mmap.mmap(self.fd, size)
        self.requests = mmap.mmap(self.fd, 64 * entries, offset=0x10000000)

    def word(self, at):
        return struct.unpack_from("<I", self.queue, at)[0]

    def push(self, op, fd, addr=0, len=0, off=0, rw=0, tag=0, flags=0, prio=0, group=0, slot=0):
        tail = self.word(self.sq[1])
        place = tail & self.word(self.sq[2])
        self.requests[64 * place:64 * place + 64] = struct.pack(
            "<BBHiQQIIQHHI16x", op, flags, prio, fd, off, addr, len, rw, tag, group, 0, slot)
        struct.pack_into("<I", self.queue, self.sq[6] + 4 * place, place)
        struct.pack_into("<I", self.queue, self.sq[1], tail + 1)

    def enter(self, submit, wait, flags=1):
        done = libc.syscall(426, self.fd, submit, wait, flags, None, 0)
        assert done >= 0, ctypes.get_errno()

    def take(self):
        head, found = self.word(self.cq[0]), []
        while head != self.word(self.cq[1]):
            at = self.cq[5] + 16 * (head & self.word(self.cq[2]))
            found.append(struct.unpack_from("<QiI", self.queue, at))
            head += 1
        struct.pack_into("<I", self.queue, self.cq[0], head)
        return found

    def do(self, op, fd, *given, **more):
        self.push(op, fd, *given, **more)
        self.enter(1, 1)
        return self.take()[0][1]

kept = []
def at(data):
    made = ctypes.create_string_buffer(bytes(data), len(data))
    kept.append(made)
    return ctypes.addressof(made)

def said(where, count):
    return ctypes.string_at(where, count)

def address(host, port):
    return struct.pack("<H", 2) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)

def vector(*parts):
    return at(b"".join(struct.pack("<QQ", at(part), len(part)) for part in parts))

def message(parts, name=b""):
    return at(struct.pack("<QQQQQQQ", at(name) if name else 0, len(name),
                          vector(*parts), len(parts), 0, 0, 0))
"""
"""Set before each of them."""

TALK = """
ring = Ring()
s = ring.do(SOCKET, 2, off=1)
print(ring.do(CONNECT, s, at(address("{server}", {port})), off=16))
print(ring.do(SEND, s, at(b"hello"), 5))
room = at(bytes(100))
got = ring.do(RECV, s, room, 100)
print(said(room, got))
print(ring.do(SHUTDOWN, s, len=1), ring.do(RECV, s, room, 100), ring.do(CLOSE, s))
"""
"""One connection, from socket to close."""

SHOUT = """
listener = socket.create_server(("", {port}))
ring = Ring()
s = ring.do(ACCEPT, listener.fileno())
room = at(bytes(100))
while (got := ring.do(RECV, s, room, 100)) > 0:
    ring.do(SEND, s, at(said(room, got).upper()), got)
ring.do(CLOSE, s)
"""
"""Its server: it says in capitals what it was sent."""

KINDS = """
ring = Ring()
s = socket.create_connection(("{server}", {port}))
fd = s.fileno()
print(ring.do(WRITE, fd, at(b"write "), 6, off=(1 << 64) - 1))
print(ring.do(WRITEV, fd, vector(b"wri", b"tev "), 2))
print(ring.do(SENDMSG, fd, message([b"send", b"msg "])))
ring.push(SEND_ZC, fd, at(b"zero copy"), 9)
ring.enter(1, 2)
print([each[1:] for each in ring.take()])
print(ring.do(SHUTDOWN, fd, len=1))
came = b""
while len(came) < 30:
    room, more = at(bytes(5)), at(bytes(4))
    came += said(room, ring.do(READ, fd, room, 5, off=(1 << 64) - 1))
    came += said(more, ring.do(READV, fd, at(struct.pack("<QQ", more, 4)), 1))
    last = at(bytes(10))
    header = at(struct.pack("<QQQQQQQ", 0, 0, at(struct.pack("<QQ", last, 10)), 1, 0, 0, 0))
    came += said(last, ring.do(RECVMSG, fd, header))
print(came)
s.close()
"""
"""Every operation that moves bytes."""

MULTISHOT = """
listener = socket.create_server(("", {port}))
ring = Ring()
ring.do(BUFFERS, 8, at(bytes(512)), 64, off=0, group=7)  # also for the ends of both
ring.push(ACCEPT, listener.fileno(), prio=1, tag=1)
ring.enter(1, 0)
told, done = [], 0
while done < 2:
    ring.enter(0, 1)
    for tag, result, flags in ring.take():
        if tag == 1:
            ring.push(RECV, result, flags=SELECT, prio=2, group=7, tag=100 + result)
            ring.enter(1, 0)
        elif result > 0:
            told.append(result)
        else:
            done += 1
            os.write(tag - 100, b"done")
            os.close(tag - 100)
print(sum(told))
"""
"""One accept and one recv of each connection, completed several times; in provided buffers."""

TWICE = """
for say in (b"one", b"other"):
    s = socket.create_connection(("{server}", {port}))
    for part in (say, b"more"):
        s.sendall(part)
    s.shutdown(socket.SHUT_WR)
    print(s.recv(100))
    s.close()
"""
"""Two connections to it, one after the other."""

LINKED = """
ring = Ring()
s = ring.do(SOCKET, 2, off=1)
room = at(bytes(100))
ring.push(CONNECT, s, at(address("{server}", {port})), off=16, flags=LINK, tag=1)
ring.push(SEND, s, at(b"first"), 5, flags=LINK, tag=2)
ring.push(RECV, s, room, 5, rw=256, flags=LINK, tag=3)
ring.push(SEND, s, room, 5, flags=LINK, tag=4)
ring.push(SHUTDOWN, s, len=1, tag=5)
ring.enter(5, 5)
print(sorted(each[:2] for each in ring.take()))
print(ring.do(RECV, s, at(bytes(100)), 100), ring.do(RECV, s, room, 100), ring.do(CLOSE, s))
"""
"""A chain: the second send says what the recv before it has brought."""

POLLED = """
ring = Ring(2)
s = socket.create_connection(("{server}", {port}))
room = at(bytes(100))
def polled(op, *given, **more):
    ring.push(op, *given, **more)
    while True:
        if ring.word(ring.sq[4]) & 1:
            ring.enter(0, 0, flags=2)
        if ring.word(ring.cq[0]) != ring.word(ring.cq[1]):
            return ring.take()[0][1]
        os.sched_yield()
print(polled(SEND, s.fileno(), at(b"by a thread"), 11))
print(polled(SHUTDOWN, s.fileno(), len=1))
print(said(room, polled(RECV, s.fileno(), room, 100)), polled(RECV, s.fileno(), room, 100))
"""
"""IORING_SETUP_SQPOLL: a thread of the kernel's submits."""

FIXED_FILES = """
ring = Ring()
s = socket.create_connection(("{server}", {port}))
files = at(struct.pack("<i", s.fileno()))
assert libc.syscall(427, ring.fd, 2, ctypes.c_void_p(files), 1) == 0, ctypes.get_errno()
room = at(bytes(100))
print(ring.do(SEND, 0, at(b"by place"), 8, flags=FIXED))
s.shutdown(socket.SHUT_WR)
print(said(room, ring.do(RECV, 0, room, 100, flags=FIXED)))
"""
"""The socket is a registered file (IORING_REGISTER_FILES): its place is its name."""

DIRECT = """
listener = socket.create_server(("", {port}))
ring = Ring()
places = at(struct.pack("<2i", -1, -1))
assert libc.syscall(427, ring.fd, 2, ctypes.c_void_p(places), 2) == 0, ctypes.get_errno()
print(ring.do(ACCEPT, listener.fileno(), slot=2))
room = at(bytes(100))
while (got := ring.do(RECV, 1, room, 100, flags=FIXED)) > 0:
    ring.do(SEND, 1, at(said(room, got).upper()), got, flags=FIXED)
print(ring.do(CLOSE, 0, slot=2))
"""
"""A server whose connection never has a descriptor."""

DIRECT_TALK = """
ring = Ring()
places = at(struct.pack("<2i", -1, -1))
assert libc.syscall(427, ring.fd, 2, ctypes.c_void_p(places), 2) == 0, ctypes.get_errno()
print(ring.do(SOCKET, 2, off=1, slot=(1 << 32) - 1))
print(ring.do(CONNECT, 0, at(address("{server}", {port})), off=16, flags=FIXED))
room = at(bytes(100))
print(ring.do(SEND, 0, at(b"hello"), 5, flags=FIXED), ring.do(RECV, 0, room, 100, flags=FIXED))
print(ring.do(SHUTDOWN, 0, len=1, flags=FIXED), ring.do(RECV, 0, room, 100, flags=FIXED))
"""
"""Its client, whose socket has none either; the kernel chooses the place."""

SPLICED = """
ring = Ring()
s = socket.create_connection(("{server}", {port}))
out, into = os.pipe()
os.write(into, b"spliced")
anywhere = (1 << 64) - 1
print(ring.do(SPLICE, s.fileno(), anywhere, 7, off=anywhere, slot=out))
s.shutdown(socket.SHUT_WR)
print(s.recv(100))
"""
"""An operation that is not followed."""

SHARED = """
ring = Ring()
s = socket.create_connection(("{server}", {port}))
room = at(bytes(100))
child = os.fork()
if not child:
    assert ring.do(SEND, s.fileno(), at(b"of a child"), 10) == 10
    os._exit(0)
os.waitpid(child, 0)
ring.do(SEND, s.fileno(), at(b", of a parent"), 13)
s.shutdown(socket.SHUT_WR)
came = b""
while got := ring.do(RECV, s.fileno(), room, 100):
    came += said(room, got)
print(came)
"""
"""A ring that a child shares."""

TWO_AT_ONCE = """
ring = Ring()
s = socket.create_connection(("{server}", {port}))
one, two = at(bytes(4)), at(bytes(4))
ring.push(RECV, s.fileno(), one, 4, rw=256, tag=1)
ring.push(RECV, s.fileno(), two, 4, rw=256, tag=2)
ring.enter(2, 0)
s.sendall(b"onetwo.")
s.shutdown(socket.SHUT_WR)
ring.enter(0, 2)
print(sorted(each[1] for each in ring.take()))
"""
"""Two requests for one socket's bytes at once."""

LEFT = """
ring = Ring()
s = socket.create_connection(("{server}", {port}))
ring.push(RECV, s.fileno(), at(bytes(100)), 100)
ring.enter(1, 0)
"""
"""A request that its program's end cancels."""

DATAGRAMS = """
ring = Ring()
s = ring.do(SOCKET, 2, off=2)
there = address("{server}", {port})
print(ring.do(SENDMSG, s, message([b"by sendmsg"], there)))
print(ring.do(SEND, s, at(b"by send"), 7, off=at(there), slot=16))
room = at(bytes(100))
print(ring.do(RECV, s, room, 100), ring.do(RECV, s, room, 100))
"""
ECHO_DATAGRAMS = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", {port}))
for _ in range(2):
    data, there = s.recvfrom(100)
    s.sendto(data, there)
"""
