"""A TCP echo server: echo.py PORT. It takes what one recv() returns for all that a client sends."""

import socket
import sys
import threading


def answer(connection, address):
    message = connection.recv(1024)
    connection.sendall(message)
    connection.close()
    print(address, "has got its answer")


server = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
server.bind(("", int(sys.argv[1])))
server.listen(10)
while True:
    threading.Thread(target=answer, args=server.accept()).start()
