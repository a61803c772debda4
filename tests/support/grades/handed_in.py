"""Programs as students hand them in: a right one, and wrong ones."""

from __future__ import annotations

from pathlib import Path

RIGHT = """
import socket, sys
server = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6,
                              dualstack_ipv6=True)
while True:
    connection, _ = server.accept()
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)
"""
WRONG = {
    "loopback": RIGHT.replace('"::"', '"::1"').replace("True)", "False)", 1),
    "silent": RIGHT.replace("connection.sendall(data)", "pass"),
    "ends": "raise SystemExit(3)",
    "syntax": "def (",
}
IN_C = """
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int server = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(argv[1]))};
    if (argc != 2 || bind(server, (void *)&address, sizeof address) || listen(server, 8))
        return 1;
    for (;;) {
        char buffer[4096];
        ssize_t got;
        int connection = accept(server, 0, 0);
        while ((got = read(connection, buffer, sizeof buffer)) > 0)
            if (write(connection, buffer, got) != got)
                return 1;
        close(connection);
    }
}
"""

IN_GO = """
package main

import (
	"io"
	"net"
	"os"
)

func main() {
	server, err := net.Listen("tcp", ":"+os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	for {
		connection, err := server.Accept()
		if err != nil {
			os.Exit(1)
		}
		io.Copy(connection, connection)
		connection.Close()
	}
}
"""
IN_JAVA = """
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;

public class EchoServer {
    public static void main(String[] words) throws IOException {
        ServerSocket server = new ServerSocket(Integer.parseInt(words[0]));
        while (true) {
            try (Socket connection = server.accept()) {
                connection.getInputStream().transferTo(connection.getOutputStream());
            }
        }
    }
}
"""
"""Right ones as well."""


def hand_in(folder: Path, **programs: str) -> list[str]:
    """Files of these texts, by their names: ann is ann.py, bob_c is bob.c, cem_go is cem.go."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, text in programs.items():
        student, _, end = name.rpartition("_")
        path = folder / (f"{student}.{end}" if end in ("c", "go", "java") else f"{name}.py")
        path.write_text(text, "utf-8")
        files.append(str(path))
    return files
