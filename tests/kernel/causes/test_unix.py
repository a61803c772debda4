"""Why unix sockets were not reached, or took no more, is said; of what goes well it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python, typed

pytestmark = pytest.mark.kernel

UNIX = """
import os, socket
def unix(type=socket.SOCK_STREAM):
    return socket.socket(socket.AF_UNIX, type)
def trying(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        print(error)
"""
SERVE = UNIX + 's = unix(); s.bind("{unix}"); s.listen()\n'
ASK = UNIX + 'c = unix(); trying(c.connect, "{unix}")\n'
CONVERSE = SERVE + "c, _ = s.accept(); c.sendall(c.recv(10))"
FILLED = (
    UNIX
    + """
s = unix(socket.SOCK_DGRAM); s.bind("/tmp/full")
c = unix(socket.SOCK_DGRAM); c.connect("/tmp/full"); c.setblocking(False)
try:
    while True:
        c.send(b"x")
except BlockingIOError:
    pass
"""
)
READ_LATE = (
    UNIX
    + """
import select
s = unix(socket.SOCK_DGRAM); s.bind("{unix}")
select.select([], [], [], 0.5)
for _ in range(20):
    s.recv(10)
"""
)
SEND_TWENTY = (
    UNIX
    + """
c = unix(socket.SOCK_DGRAM); c.connect("{unix}")
for _ in range(20):
    c.send(b"x")
"""
)


@pytest.mark.parametrize(
    ("client", "name", "text"),
    [
        (
            UNIX + 's = unix(); s.bind("/tmp/x"); s.close(); trying(unix().connect, "/tmp/x")',
            "unix-nobody",
            "the file stays until somebody calls unlink(2)",
        ),
        (
            UNIX + 's = unix(); s.bind("/tmp/x"); s.close(); trying(unix().bind, "/tmp/x")',
            "unix-name-in-use",
            "(close) closed it: unlink(2) it first",
        ),
        (
            UNIX + 's = unix(); s.bind("/tmp/x"); trying(unix().connect, "/tmp/x")',
            "unix-nobody",
            "and never called listen()",
        ),
        (UNIX + 'trying(unix().bind, "/etc/x")', "unix-not-allowed", "fails with E"),
        (FILLED, "unix-queue-full", "reads nothing after that"),
    ],
    ids=["left-over", "in-use", "deaf", "forbidden", "full"],
)
def test_a_cause_within_one_program_is_named(
    ad_hoc: Callable[..., AdHocRun], client: str, name: str, text: str
) -> None:
    idle = "import os; os.write(1, b'idle')"
    run = ad_hoc(python(idle), python(client), "--no-wait", trace="auto")
    found = run.causes
    assert list(found) == [name]
    assert text in found[name]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("unix-no-file", "no file /tmp/nothing"),
        ("unix-another-type", "its socket is a SOCK_DGRAM"),
        ("unix-accept-queue-full", "with a backlog of 0 (1)"),
        ("unix-peer-closed", "closed the other end of the socket"),
    ],
)
def test_the_cause_of_an_experiment_is_named(
    ad_hoc: Callable[..., AdHocRun], name: str, text: str
) -> None:
    run = ad_hoc(*typed(name), trace="auto")
    found = run.causes
    assert list(found) == [name]
    assert text in found[name]


def test_a_send_that_waits_for_a_reader_is_named(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(READ_LATE), python(SEND_TWENTY), trace="auto")
    (cause,) = run.report["causes"]
    assert cause["name"] == "unix-queue-full"
    assert "server reads the next with server#" in cause["text"]


def test_an_abstract_name_is_known_on_its_host_alone(ad_hoc: Callable[..., AdHocRun]) -> None:
    server = SERVE.replace("{unix}", "\\0mine") + "s.settimeout(0.5); trying(s.accept)"
    client = ASK.replace("{unix}", "\\0mine")
    run = ad_hoc(python(server), python(client), "--unix", "@mine", trace="auto")
    (cause,) = run.report["causes"]
    assert cause["name"] == "unix-nobody"
    assert "known in its own network namespace alone, not on client" in cause["text"]


@pytest.mark.parametrize(
    ("server", "client"),
    [
        (CONVERSE, ASK + "c.send(b'hello'); print(c.recv(10))"),
        (READ_LATE.replace("0.5", "0"), SEND_TWENTY.replace("range(20)", "range(5)")),
    ],
    ids=["stream", "datagrams"],
)
def test_what_goes_as_it_is_meant_has_no_cause(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str
) -> None:
    run = ad_hoc(python(server), python(client), trace="auto")
    assert run.report["causes"] == []
