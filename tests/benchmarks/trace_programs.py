"""The programs that bench-trace runs: connections by the thousand, and calls nobody asked for.

trace_programs.py server ADDRESS PORT COUNT      accepts, reads, answers and closes
trace_programs.py client ADDRESS PORT COUNT      prints the seconds that COUNT connections took
trace_programs.py unrelated COUNT WORK           prints the seconds that COUNT calls took, each
                                                 with WORK turns of an empty loop behind it
"""

import os
import socket
import sys
import time

REQUEST = b"a request of some forty bytes, more or l"
REPLY = b"and a reply"


def serve(address: str, port: int, count: int) -> None:
    listener = socket.create_server((address, port), backlog=128)
    os.write(int(os.environ["READY_FD"]), b"listening\n")
    for _ in range(count):
        connection, _ = listener.accept()
        while connection.recv(4096):
            pass
        connection.send(REPLY)
        connection.close()


def connect(address: str, port: int, count: int) -> None:
    started = time.perf_counter()
    for _ in range(count):
        connection = socket.socket()
        connection.connect((address, port))
        connection.send(REQUEST)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
        connection.close()
    print(time.perf_counter() - started)


def call(count: int, work: int) -> None:
    started = time.perf_counter()
    for _ in range(count):
        os.umask(0o22)
        for _ in range(work):
            pass
    print(time.perf_counter() - started)


def main(name: str, *words: str) -> None:
    if name == "unrelated":
        call(*map(int, words))
    else:
        address, port, count = words
        {"server": serve, "client": connect}[name](address, int(port), int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
