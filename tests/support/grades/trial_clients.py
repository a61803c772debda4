"""Functions that trials run on hosts: they meet trouble, or are mistaken themselves."""

from __future__ import annotations

import socket


def meets(server: str, port: int) -> None:
    """It lets out what it meets."""
    with socket.create_connection((server, port), timeout=5) as connection:
        connection.sendall(b"hello\n")
        connection.recv(1)


def is_mistaken(server: str, port: int) -> object:
    """It has a mistake in it."""
    ports: dict[str, int] = {}
    return ports[server]


def says(what: str) -> str:
    """It returns what it is told."""
    return what
