"""A TCP echo server: the library's socketserver."""

import socket
import socketserver
import sys


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            chunk = self.request.recv(1)
            if chunk == b"":
                break
            self.request.sendall(chunk)


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 50

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, False)
        super().server_bind()

    def handle_error(self, request, client_address):
        print(client_address, "is gone", file=sys.stderr)


with Server(("::", int(sys.argv[1])), Echo) as server:
    server.serve_forever()
