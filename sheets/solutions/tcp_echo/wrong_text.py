"""A TCP echo server: echo.py PORT. It takes the bytes of a stream for text."""

import socket
import sys
import threading


def handle(connection):
    while True:
        text = connection.recv(8192).decode("utf-8")
        if text == "":
            break
        connection.sendall(text.encode("utf-8"))
    connection.close()


def main(port):
    server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        connection, (host, number, *_) = server.accept()
        print("connected:", host, number)
        threading.Thread(target=handle, args=[connection]).start()


main(int(sys.argv[1]))
