"""SSLKEYLOGFILE: a file for each program, whatever the program makes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from step_programs import python, run

from lab.kernel.confinement import Confined, confine
from lab.kernel.plan import Plan
from lab.kernel.programs.key_log import KEPT_BYTES
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.allowed import Allowed
from lab.model.family import Family
from lab.model.program import Program, Step
from lab.model.topology import two_hosts
from lab.records import KeyLog

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

LOG = "import os; log = os.environ['SSLKEYLOGFILE']\n"
WRITE = LOG + "open(log, 'a').write('secrets of {}\\n')\n"


def confined(*, host_files: bool) -> Confined:
    """As another user, where the lab is root's."""
    return confine(Allowed("nobody" if os.geteuid() == 0 else "", host_files=host_files), ())


WAYS: dict[str, Callable[[], Confined | None]] = {
    "the lab's own": lambda: None,
    "with the host's files": lambda: confined(host_files=True),
    "confined": lambda: confined(host_files=False),
}
every_way = pytest.mark.parametrize("way", WAYS)


@every_way
def test_what_each_program_writes_is_recorded(sandbox: Sandbox, way: str) -> None:
    programs = [python(WRITE.format(name), name) for name in ("one", "two")]
    quiet = python(LOG + "open(log, 'a')", "quiet")
    recording = run(sandbox, *programs, quiet, confined=WAYS[way]())
    assert [(it.exit_status, it.stderr) for it in recording.programs] == [(0, "")] * 3
    assert recording.key_logs == (
        KeyLog("one", "secrets of one\n", 0, "only"),
        KeyLog("two", "secrets of two\n", 0, "only"),
    )


def test_each_step_has_files_of_its_own(sandbox: Sandbox) -> None:
    steps = tuple(Step(name, (python(WRITE.format(name)),)) for name in ("first", "second"))
    recording = sandbox.call(record, Plan("test", Family.IPV4, two_hosts(), steps))
    assert [(log.step, log.text) for log in recording.key_logs] == [
        ("first", "secrets of first\n"),
        ("second", "secrets of second\n"),
    ]


def test_a_program_reads_and_lists_nothing_of_another(sandbox: Sandbox) -> None:
    """Where they run as one user that is not the lab's, files are all that is between them."""
    ask = LOG + (
        "folder = os.path.dirname(log)\n"
        "print(oct(os.stat(log).st_mode), oct(os.stat(folder).st_mode))\n"
        "print(os.access(folder, os.W_OK) and os.geteuid() != os.stat(folder).st_uid)\n"
    )
    (found,) = run(sandbox, python(ask), confined=confined(host_files=False)).programs
    assert (found.stdout, found.stderr) == ("0o100600 0o40711\nFalse\n", "")


HOSTILE = {
    "symlink": "os.unlink(log); os.symlink('/etc/passwd', log)",
    "FIFO": "os.unlink(log); os.mkfifo(log)",
    "folder": "os.unlink(log); os.mkdir(log)",
    "socket": "import socket; os.unlink(log); socket.socket(socket.AF_UNIX).bind(log)",
    "nothing": "os.unlink(log)",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_a_program_puts_in_its_place_is_not_read(sandbox: Sandbox, what: str) -> None:
    """Of the lab's own programs: others may not, but where they run as the same user."""
    code = LOG + "open(log, 'w').write('before')\n" + HOSTILE[what]
    after = python(WRITE.format("after"), "after")
    recording = run(sandbox, python(code), after)
    assert [(it.stderr, it.failure) for it in recording.programs] == [("", "")] * 2
    logs = {log.program: log for log in recording.key_logs}
    assert logs["it"] == KeyLog("it", "before", 0, "only")
    assert logs["after"].text == "secrets of after\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: there is no other user")
def test_another_user_puts_nothing_in_its_place(sandbox: Sandbox) -> None:
    code = LOG + "os.unlink(log)"
    (found,) = run(sandbox, python(code), confined=confined(host_files=False)).programs
    assert found.stderr.splitlines()[-1].startswith("PermissionError")


def test_bytes_that_are_no_text_are_recorded_as_text(sandbox: Sandbox) -> None:
    code = LOG + "open(log, 'wb').write(bytes(range(256)))"
    (log,) = run(sandbox, python(code)).key_logs
    assert log.text.encode("utf-8").startswith(bytes(range(128)) + b"\\x80\\x81")


def test_no_more_is_kept_than_a_bound_and_in_whole_lines(sandbox: Sandbox) -> None:
    line = "x" * 98 + "\\n"
    code = LOG + f"open(log, 'w').write({KEPT_BYTES} // 99 * 2 * '{line}')"
    (log,) = run(sandbox, python(code)).key_logs
    assert len(log.text) == KEPT_BYTES // 99 * 99
    assert log.beyond == len(log.text)
    assert log.text.endswith("x\n")


def test_a_gigabyte_without_a_line_takes_no_room(sandbox: Sandbox) -> None:
    code = LOG + "os.truncate(log, 1 << 30)"
    (log,) = run(sandbox, python(code)).key_logs
    assert (log.text, log.beyond) == ("", 1 << 30)


def test_where_no_secrets_are_kept_there_is_no_such_variable(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask: Program = python("import os; print(os.environ.get('SSLKEYLOGFILE'))")
    plan = Plan("test", Family.IPV4, two_hosts(), (Step("only", (ask,)),))
    recording = sandbox.call(record, replace(plan, keeps_secrets=False))
    assert ([it.stdout for it in recording.programs], recording.key_logs) == (["None\n"], ())
