"""A TCP echo server: echo.py PORT. While it serves a client, nobody else is served."""

import socket
import sys

port = int(sys.argv[1])
with socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True) as server:
    while True:
        client, address = server.accept()
        with client:
            try:
                while True:
                    data = client.recv(4096)
                    if not data:
                        break
                    client.sendall(data)
            except ConnectionError as problem:
                print(address, problem)
