"""Ask, and read the answer to its end."""

import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    connection.sendall(b"who is there?")
    connection.shutdown(socket.SHUT_WR)
    answer = b""
    while data := connection.recv(100):
        answer += data
assert answer == b"WHO IS THERE?", answer
