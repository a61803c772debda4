"""The programs that bench-many runs, under any wirelab as two commands of somebody's.

many_programs.py server ADDRESS PORT COUNT       accepts, reads a few bytes, answers and closes
many_programs.py client ADDRESS PORT COUNT       makes COUNT connections, one after another
many_programs.py idle ADDRESS PORT               listens on the port behind, and waits
many_programs.py reconnect ADDRESS PORT SECONDS  connects for so long, refused or not
many_programs.py closer ADDRESS PORT             accepts, and closes at once
many_programs.py source ADDRESS PORT MB RATE     sends so many megabytes, so many a second
many_programs.py sink ADDRESS PORT               reads what one connection brings

Clients print how many connections they have tried, and CLOCK_REALTIME at their end. The last two
print CLOCK_REALTIME at their end, and how many seconds of processor time they took.
"""

import socket
import sys
import time
from collections.abc import Callable


def serve(address: str, port: int, count: int) -> None:
    with socket.create_server((address, port), backlog=128) as listener:
        for _ in range(count):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(100))


def connect(address: str, port: int, count: int) -> None:
    for number in range(count):
        with socket.create_connection((address, port)) as connection:
            connection.sendall(b"hello %d" % number)
            while connection.recv(100):
                pass
    print(count, time.time_ns())


def idle(address: str, port: int) -> None:
    with socket.create_server((address, port + 1)) as listener:
        listener.accept()


def reconnect(address: str, port: int, seconds: int) -> None:
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        with socket.socket() as tried:
            tried.connect_ex((address, port))
        count += 1
    print(count, time.time_ns())


def close_all(address: str, port: int) -> None:
    with socket.create_server((address, port), backlog=128) as listener:
        while True:
            listener.accept()[0].close()


def send(address: str, port: int, megabytes: int, rate: int) -> None:
    piece = bytes(50_000)
    with socket.create_connection((address, port)) as connection:
        begun = time.monotonic()
        for number in range(megabytes * 1_000_000 // len(piece)):
            ahead = number * len(piece) / (rate * 1e6) - (time.monotonic() - begun)
            time.sleep(max(ahead, 0))
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    print(time.time_ns(), time.process_time())


def read_all(address: str, port: int) -> None:
    with socket.create_server((address, port)) as listener:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(1 << 16):
                pass
    print(time.time_ns(), time.process_time())


PROGRAMS: dict[str, Callable[..., None]] = {
    "server": serve,
    "client": connect,
    "idle": idle,
    "reconnect": reconnect,
    "closer": close_all,
    "source": send,
    "sink": read_all,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:]))
