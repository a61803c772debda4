"""Pass one connection on to a server: an ordinary program with two sockets."""

import os
import select
import socket
import sys

own, port, server = sys.argv[1], int(sys.argv[2]), sys.argv[3]
family = socket.AF_INET6 if ":" in own else socket.AF_INET
with socket.create_server((own, port), family=family) as listener:
    os.write(int(os.environ["READY_FD"]), b"ready\n")
    near, _ = listener.accept()
far = socket.create_connection((server, port))
other = {near: far, far: near}
with near, far:
    going_on = [near, far]
    while going_on:
        for end in select.select(going_on, [], [])[0]:
            data = end.recv(100)
            if data:
                other[end].sendall(data)
            else:
                going_on.remove(end)
                other[end].shutdown(socket.SHUT_WR)
