"""The client that waits within bounds, against servers of every kind, over lo."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from lab.testing import patient_client
from lab.testing.patient_client import FIN, REFUSED, RST, Patience, PatientClient

SHORT = 0.05


@contextmanager
def served(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of a server for one client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionError):
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def echo(connection: socket.socket) -> None:
    while data := connection.recv(1000):
        connection.sendall(data)


def client(port: int, **options: int | None) -> PatientClient:
    return PatientClient("127.0.0.1", port, **options)  # type: ignore[arg-type]


def test_it_keeps_what_was_said_and_what_came_until_the_end() -> None:
    with served(echo) as port:
        talk = client(port)
        assert talk.say(b"hello")
        assert talk.hear(5)
        assert talk.is_open
        talk.finish()
        assert talk.hear_end()
        talk.close()
    assert (bytes(talk.sent), bytes(talk.got), talk.end) == (b"hello", b"hello", FIN)
    assert not talk.ended_early


def test_much_is_sent_and_read_at_once() -> None:
    data = bytes(range(256)) * 20_000
    with served(echo) as port:
        talk = client(port)
        assert talk.say(data)
        assert talk.hear(len(data))
        talk.close()
    assert bytes(talk.got) == data


def test_an_end_that_comes_first_is_known() -> None:
    with served(lambda connection: connection.sendall(b"bye")) as port:
        talk = client(port)
        assert not talk.hear(4)
        assert not talk.say(b"what?")
        assert talk.hear_end()
        talk.close()
    assert (bytes(talk.got), talk.end, talk.ended_early) == (b"bye", FIN, True)


def resets(connection: socket.socket) -> None:
    connection.recv(100)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_reset_is_told_from_an_end() -> None:
    with served(resets) as port:
        talk = client(port)
        assert talk.say(b"hello")
        assert not talk.hear(5)
        assert (talk.end, talk.ended_early) == (RST, True)
        talk.finish()
        assert talk.hear_end()
        talk.close()


def test_a_reset_that_a_call_meets_which_sends_is_one() -> None:
    is_reset = threading.Event()

    def serve(connection: socket.socket) -> None:
        resets(connection)
        connection.close()
        is_reset.set()

    with served(serve) as port:
        talk = client(port)
        talk.say(b"hello")
        assert is_reset.wait(10)
        talk.finish()
        assert talk.end == RST
        talk.close()


def test_nobody_is_waited_for_longer_than_patience_lasts() -> None:
    asked = threading.Event()
    with served(lambda _: asked.wait(10)) as port:
        patience = Patience(SHORT, SHORT / 2)
        talk = PatientClient("127.0.0.1", port, patience)
        assert not talk.hear(1)
        assert patience.bytes_s < patience.end_s
        talk.finish()
        assert not talk.hear_end()
        assert talk.is_open
        asked.set()
        talk.close()


def test_after_many_times_in_vain_nothing_is_waited_for() -> None:
    patience = Patience(9, 5, most=2)
    patience.bytes_never_came()
    assert (patience.bytes_s, patience.end_s) == (5, 9)
    patience.end_never_came()
    assert patience.end_s < 0.1


def unused() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_where_nobody_listens_it_is_refused_and_the_next_time_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patient_client, "_LISTENER_S", SHORT)
    patience = Patience(SHORT)
    port = unused()
    assert PatientClient("127.0.0.1", port, patience).end == REFUSED
    assert patience.listener_s(port) == 0
    talk = PatientClient("127.0.0.1", port, patience)
    assert (talk.end, talk.ended_early) == (REFUSED, False)
    assert not talk.say(b"x")


def test_a_server_that_listens_late_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        monkeypatch.setattr(time, "sleep", lambda _: listener.listen())
        talk = client(listener.getsockname()[1])
        assert talk.is_open
        talk.close()


def test_what_is_pushed_stops_when_the_buffers_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_client, "_STUCK_S", SHORT)
    read = threading.Event()

    def serve(connection: socket.socket) -> None:
        read.wait(10)
        while connection.recv(100_000):
            pass

    with served(serve) as port:
        talk = client(port)
        data = bytes(20_000_000)
        number = talk.push(data)
        assert 0 < number < len(data)
        assert number == len(talk.sent)
        read.set()
        talk.finish()
        assert talk.hear_end()
        talk.close()


def test_the_other_side_has_all_of_it_when_its_host_has_the_fin() -> None:
    read = threading.Event()
    with served(lambda _: read.wait(10)) as port:
        talk = client(port)
        talk.say(b"hello")
        talk.finish()
        assert talk.wait_until_finished()
        read.set()
        talk.close()


def test_a_small_receive_buffer_is_asked_for() -> None:
    with served(echo) as port:
        talk = client(port, receive_buffer=8192)
        talk.reset()


def test_its_port_is_the_one_that_the_server_sees() -> None:
    seen: list[int] = []
    with served(lambda connection: seen.append(connection.getpeername()[1])) as port:
        talk = client(port)
        talk.hear_end()
        talk.close()
    assert seen == [talk.port]
