"""The programs that bench-trace runs: connections by the thousand, and calls nobody asked for.

trace_programs.py server ADDRESS PORT COUNT      accepts, reads, answers and closes
trace_programs.py client ADDRESS PORT COUNT      prints the seconds that COUNT connections took
trace_programs.py unrelated COUNT                prints the seconds that COUNT calls took
"""

import os
import socket
import sys
import time

REQUEST = b"a request of some forty bytes, more or l"
REPLY = b"and a reply"


def serve(address, port, count):
    listener = socket.create_server((address, port), backlog=128)
    os.write(int(os.environ["READY_FD"]), b"listening\n")
    for _ in range(count):
        connection, _ = listener.accept()
        while connection.recv(4096):
            pass
        connection.send(REPLY)
        connection.close()


def connect(address, port, count):
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


def call(count):
    # umask: the C library answers getpid by itself, and getppid's cost differs by kernel.
    started = time.perf_counter()
    for _ in range(count):
        os.umask(0o22)
    print(time.perf_counter() - started)


def main(name, *words):
    if name == "unrelated":
        call(int(words[0]))
    else:
        address, port, count = words
        {"server": serve, "client": connect}[name](address, int(port), int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
