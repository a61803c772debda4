"""Functions that trials run on hosts: they meet trouble, or are mistaken themselves."""

from __future__ import annotations

import os
import socket
import time

from lab.testing.rest import REST


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
    """It returns what it is given."""
    return what


def listens_for_long(server: str, port: int) -> tuple[bool, bool]:
    """Whether anything came, and whether it learned that nothing would."""
    with socket.create_connection((server, port), timeout=5) as connection:
        readable, _ = REST.wait([connection], [], 3600.0)
        return readable, REST.was_reached


def loops(server: str, port: int) -> None:
    """It goes round for ever."""
    while True:
        pass


def waits_for_ever(server: str, port: int) -> None:
    """It waits for what nobody sends."""
    while True:
        time.sleep(1.0)


def dies(server: str, port: int) -> None:
    """It ends without a word."""
    os._exit(3)
