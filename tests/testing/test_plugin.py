"""Whole tests with the fixtures, each in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from outside import environment

# One of them has an ordinary user run such tests.
pytestmark = [pytest.mark.kernel, pytest.mark.once]

BEGINNING = '''
import asyncio
import socket
import pytest
from lab.expect import TCP

SERVER = """{python} -c "
import socket
listener = socket.create_server(('', 4242, 0, 0), family=socket.AF_INET6, dualstack_ipv6=True)
peer, _ = listener.accept()
peer.sendall(peer.recv(99).upper())
peer.close()
" """

def ask(host, port, text):
    with socket.create_connection((host, port)) as connection:
        connection.sendall(text)
        return b"".join(iter(lambda: connection.recv(99), b""))

async def ask_later(host, port, text):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(text)
    answer = await reader.read()
    writer.close()
    return answer

def fail():
    assert 1 == 2, "by itself"
'''


def pytest_of(
    folder: Path, text: str, *options: str, as_user: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """A pytest run of this file."""
    (folder / "test_own.py").write_text(BEGINNING + text, "utf-8")
    words = [*as_user, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        [*words, "test_own.py"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def counts(done: subprocess.CompletedProcess[str]) -> str:
    """ "1 failed, 2 passed"."""
    return done.stdout.strip().splitlines()[-1].partition(" in ")[0].strip("= ")


GOOD = """
@pytest.mark.parametrize("function", [ask, ask_later])
def test_a_function_asks(lab, function):
    lab.start(SERVER)
    answer = lab.python(function, "{server}", 4242, b"hello")
    result = lab.run()
    assert answer.value == b"HELLO"
    result.tcp(4242).handshake().closes_with_fin(by="server").bytes(client=5, server=b"HELLO")
    assert lab.run("unix").in_step("conversation").silent() is None

def test_a_lost_syn_comes_again(lab, wire):
    wire.drop("SYN", nth=1)
    lab.start(SERVER, port=4242)
    lab.python(ask, "{server}", 4242, b"hello")
    lab.run().tcp().handshake().no_reset().bytes(client=5, server=b"HELLO")

@pytest.mark.wirelab(topology="star:3", family=6)
def test_hosts_of_a_star(lab):
    lab.start(SERVER, on="h1")
    lab.python(ask, "{h1}", 4242, b"hello", on="h2")
    lab.run().tcp(client="h2", server="h1").handshake()
"""


def test_tests_that_expect_something_pass_and_leave_nothing(tmp_path: Path) -> None:
    done = pytest_of(tmp_path, GOOD)
    assert counts(done) == "4 passed", done.stdout
    # Compiled tests are Python's own, where it is to keep any.
    folders = {each.name for each in tmp_path.iterdir() if each.is_dir()}
    assert folders - {"__pycache__"} <= {"wirelab-runs"}
    assert not list(tmp_path.glob("wirelab-runs/*"))


def test_several_at_once_and_all_kept(tmp_path: Path) -> None:
    done = pytest_of(tmp_path, GOOD, "-n", "2", "--wirelab-keep", "all", "--wirelab-html")
    assert counts(done) == "4 passed", done.stdout
    kept = list(tmp_path.glob("wirelab-runs/*/pytest/latest/report.html"))
    assert len(kept) == 4


def test_a_failure_is_at_the_tests_line_with_what_was_seen(tmp_path: Path) -> None:
    done = pytest_of(
        tmp_path,
        """
def test_it(lab):
    lab.start(SERVER)
    lab.python(ask, "{server}", 4242, b"hello")
    lab.run().tcp().closes_with_fin(by="client")
""",
        "--junit-xml=junit.xml",
    )
    assert counts(done) == "1 failed", done.stdout
    assert '>       lab.run().tcp().closes_with_fin(by="client")' in done.stdout
    assert "first FIN from  expected: client" in done.stdout
    assert "FIN ACK" in done.stdout
    line = BEGINNING.count("\n") + 5
    assert f"test_own.py:{line}: ExpectationFailed" in done.stdout
    (capture,) = tmp_path.glob("wirelab-runs/*/pytest/2*/recording.pcapng")
    assert str(capture.relative_to(tmp_path)) in done.stdout
    assert 'name="test_it"' in (tmp_path / "junit.xml").read_text("utf-8")


def test_a_test_that_expected_nothing_fails(tmp_path: Path) -> None:
    done = pytest_of(
        tmp_path,
        """
def test_it(lab):
    lab.start(SERVER)
    lab.python(ask, "{server}", 4242, b"hello")
    lab.run()

def test_without_the_lab():
    pass

def test_that_runs_nothing(lab):
    pass
""",
        "--wirelab-keep",
        "none",
    )
    assert counts(done) == "1 failed, 2 passed", done.stdout
    assert "expected nothing of what was seen" in done.stdout
    assert not list(tmp_path.glob("wirelab-runs/*"))


def test_a_function_that_raises_fails_the_test_with_its_traceback_and_the_cause(
    tmp_path: Path,
) -> None:
    done = pytest_of(
        tmp_path,
        """
def test_itself(lab):
    lab.python(fail)
    lab.run()

def test_nobody_listens(lab):
    lab.python(ask, "{server}", 4242, b"hello")
    lab.run()
""",
    )
    assert counts(done) == "2 failed", done.stdout
    assert "AssertionError: by itself" in done.stdout
    assert "ConnectionRefusedError" in done.stdout
    assert "Why: " in done.stdout


def test_markers_are_checked(tmp_path: Path) -> None:
    done = pytest_of(
        tmp_path,
        """
@pytest.mark.wirelab(topologie="star:3")
def test_a_word_that_there_is_not(lab): ...

@pytest.mark.wirelab(needs="wings")
def test_a_need_that_there_is_not(lab): ...
""",
        "--strict-markers",
    )
    assert counts(done) == "2 errors", done.stdout
    assert "not topologie" in done.stdout
    assert 'there is needs="root"' in done.stdout


def test_an_ordinary_user_runs_them_but_those_that_need_root(
    anyones_folder: Path, as_sandboxing_nobody: tuple[str, ...]
) -> None:
    text = (
        GOOD
        + """
@pytest.mark.wirelab(needs="root")
def test_root(lab): ...
"""
    )
    done = pytest_of(anyones_folder, text, as_user=as_sandboxing_nobody)
    assert counts(done) == "4 passed, 1 skipped", done.stdout + done.stderr
    words = ("--wirelab-strict", "-k", "root")
    strict = pytest_of(anyones_folder, text, *words, as_user=as_sandboxing_nobody)
    assert "1 error" in counts(strict)
    assert "it needs root" in strict.stdout


def test_where_no_lab_can_be_had_a_test_is_skipped_unless_that_is_a_failure(
    tmp_path: Path,
) -> None:
    text = """
from lab.errors import MachineError

def test_it(lab, monkeypatch):
    def refused(*args, **kwargs):
        raise MachineError("namespaces: not allowed here", "use sudo")
    monkeypatch.setattr("lab.run.run_scenario", refused)
    lab.run("tcp")
"""
    done = pytest_of(tmp_path, text, "-rs")
    assert counts(done) == "1 skipped", done.stdout
    assert "namespaces: not allowed here; use sudo" in done.stdout
    assert counts(pytest_of(tmp_path, text, "--wirelab-strict")) == "1 failed"


def test_a_run_without_the_fixtures_imports_nothing_more_of_the_lab(tmp_path: Path) -> None:
    done = pytest_of(
        tmp_path,
        """
import sys

def test_it():
    loaded = {name for name in sys.modules if name.partition(".")[0] == "lab"}
    print(sorted(loaded))
""",
        "-s",
    )
    loaded = done.stdout.partition("[")[2].partition("]")[0]
    # The file itself imports lab.expect.
    assert "'lab.testing.plugin'" in loaded
    assert "lab.testing.bench" not in loaded
    assert "lab.run'" not in loaded
