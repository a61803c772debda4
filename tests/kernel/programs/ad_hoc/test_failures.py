"""Commands of anybody's that fail, in every way in which they can, and what is refused at once."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ad_hoc_run import ASK, CONVERSE, DONE, FAILED, AdHocRun, python
from outside import names_in, wirelab

from lab.model.program import DEADLINE_S, LISTENING_DEADLINE_S

pytestmark = pytest.mark.kernel

HANG = "import select; select.select([], [], [])"


def test_a_command_that_is_not_found(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc("nosuchprogram -x", python(ASK))
    expected = "cannot be started: nosuchprogram: No such file or directory"
    assert run.failure("server") == expected
    assert run.failure("client") == f"was not started, since server {expected}"
    assert run.programs["server"]["exit_status"] == 127
    assert run.lasted_s("server") < LISTENING_DEADLINE_S


def test_a_client_that_is_not_found(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(CONVERSE), "nosuchprogram -x")
    assert run.failure("client").startswith("cannot be started: nosuchprogram: ")
    assert "failure" not in run.programs["server"]


def test_a_server_that_fails_at_once(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python("raise SystemExit('address in use')"), python(ASK))
    assert run.failure("server") == "exited with status 1; its stderr ends: address in use"
    assert run.failure("client").startswith("was not started, since server ended before it listen")
    assert run.lasted_s("server") < LISTENING_DEADLINE_S


def test_a_server_that_ends_well_and_too_early(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python("print('nothing to do')"), python(ASK))
    assert run.failure("server").startswith("ended before it listened on TCP or UDP port 4242")
    assert run.wrote["server"] == "nothing to do\n"


def test_a_client_that_is_killed_by_a_signal(ad_hoc: Callable[..., AdHocRun]) -> None:
    die = ASK + "import os; os.kill(os.getpid(), 11)"
    run = ad_hoc(python(CONVERSE), python(die))
    assert run.failure("client") == "was killed by SIGSEGV; it wrote nothing to stderr"
    assert run.programs["client"]["exit_status"] == -11
    # What happened until then is shown and judged.
    assert run.verdicts["ad-hoc-opens"] == run.verdicts["ad-hoc-closes"] == "HOLDS"
    assert "failure" not in run.programs["server"]


def test_who_may_have_killed_a_program_is_said(ad_hoc: Callable[..., AdHocRun]) -> None:
    kill = "import os\nwhile not os.path.exists('/tmp/there'): pass\nos.kill(-1, 9)"
    wait = "import signal\nopen('/tmp/there', 'w')\nsignal.pause()"
    run = ad_hoc(python(kill), python(wait), "--no-wait")
    said = "was killed by SIGKILL, which server may have sent; it wrote nothing to stderr"
    assert run.failure("client") == said


LEAVE = """
import os, signal
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
if os.fork():
    os.wait()
os.setsid()
try:
    while True:
        os.write(1, b"spam" * 1000)
except BrokenPipeError:
    open("/tmp/ended", "w").close()
"""


def test_what_writes_without_bound_is_ended_in_every_session(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    wait = "import os\nwhile not os.path.exists('/tmp/ended'): pass"
    run = ad_hoc(python(LEAVE), python(wait), "--no-wait")
    assert run.failure("server").startswith("wrote more than 1048576 bytes")
    assert "failure" not in run.programs["client"]


def test_a_server_that_crashes_in_the_middle(ad_hoc: Callable[..., AdHocRun]) -> None:
    crash = CONVERSE.replace("while data", "import os; os.kill(os.getpid(), 6)\nwhile data")
    run = ad_hoc(python(crash), python(ASK))
    assert run.failure("server").startswith("was killed by SIGABRT")
    assert run.verdicts["ad-hoc-opens"] == "HOLDS"


def test_a_server_that_never_listens_and_a_client_that_meets_it(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(HANG), python(ASK))
    assert run.failure("server").startswith("never listened on TCP or UDP port 4242 within 10 s")
    assert "ConnectionRefusedError" in run.failure("client")
    told = next(c for c in run.report["claims"] if c["id"] == "ad-hoc-opens")
    assert told["verdict"] == "SKIPPED"
    assert "was refused with a RST" in told["why"]


def test_a_client_that_outlives_its_deadline(ad_hoc: Callable[..., AdHocRun]) -> None:
    hang = ASK.replace("print(", "import select; select.select([], [], [])\nprint(")
    run = ad_hoc(python(CONVERSE), python(hang), "--deadline", "2")
    assert run.failure("client").startswith("had not ended 2 s after its start")
    assert run.verdicts["ad-hoc-opens"] == "HOLDS"
    assert run.lasted_s("client") < DEADLINE_S


def test_a_client_that_writes_without_bound(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(CONVERSE), python("while True: print('spam' * 100)"))
    assert run.failure("client").startswith("wrote more than 1048576 bytes")
    assert len(run.done.stdout.splitlines()) < 2000
    assert "lines more, in recording.jsonl" in run.done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "run what?"),
        (("--server", "true"), "--server needs --client as well"),
        (("--client", "true", "--linger", "1"), "--no-wait and --linger go with --server"),
        (("tcp", "--server", "true", "--client", "true"), "not both"),
        (("tcp", "--port", "1"), "go with --server and --client"),
        (("--server", "", "--client", "true"), "--server is empty"),
        (("--server", "true", "--client", "'"), "cannot split --client"),
        (("ad-hoc",), "there is no scenario 'ad-hoc'"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, words: list[str], said: str) -> None:
    done = wirelab("run", *words, "--out", tmp_path)
    assert done.returncode == FAILED
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert names_in(tmp_path) == set()


@pytest.mark.parametrize("option", [("--port", "0"), ("--port", "65536"), ("--deadline", "0"),
                                    ("--deadline", "soon"), ("--deadline", "nan")])  # fmt: skip
def test_a_number_that_is_none_is_refused(tmp_path: Path, option: tuple[str, str]) -> None:
    done = wirelab("run", "--server", "a", "--client", "b", *option, "--out", tmp_path)
    assert done.returncode == FAILED
    assert f"argument {option[0]}: {option[1]!r} is no" in done.stderr


WAIT_FOR_ITS_END = """
import os, select, sys
open("started", "x").close()
while os.path.lexists(sys.argv[1]): select.select([], [], [], 0.01)
"""


def test_a_socket_of_the_hosts_that_its_owner_removes_meanwhile_is_no_programs_doing(
    tmp_path: Path, marker: str
) -> None:
    """It takes along what covers it."""
    address = Path("/var/tmp", f"wirelab-{os.getpid()}.sock")  # /tmp the programs do not see
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(address))
        words = ("run", "--server", "true", "--client", python(WAIT_FOR_ITS_END, str(address)),
                 "--no-wait", "--out", tmp_path)  # fmt: skip
        with ThreadPoolExecutor() as pool:
            run = pool.submit(wirelab, *words, cwd=tmp_path)
            while not ((tmp_path / "started").exists() or run.done()):
                time.sleep(0.01)
            address.unlink()
            done = run.result()
    assert "disturbed" not in done.stdout
    assert done.returncode == DONE, done.stdout


UNMOUNT = """
import ctypes
assert ctypes.CDLL(None).umount2(b"/proc", 2) == 0
"""


@pytest.mark.parametrize("files", [(), ("--host-files",)])
def test_a_program_that_unmounts_proc_is_named_and_all_is_judged(
    ad_hoc: Callable[..., AdHocRun], files: tuple[str, ...]
) -> None:
    run = ad_hoc(python(CONVERSE), python(UNMOUNT + ASK), "--cap", "SYS_ADMIN", *files)
    assert run.done.returncode == FAILED, run.done.stdout
    who = "one of the programs server and client"  # --cap is for both
    assert f"{who} disturbed the run: /proc was unmounted" in run.head
    assert run.wrote["client"] == "b'HELLO' b''\n"
    assert run.verdicts["ad-hoc-opens"] == "HOLDS"
