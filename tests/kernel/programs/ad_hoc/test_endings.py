"""How runs of two commands begin and end: alone, without waiting, lingering, on a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ad_hoc_run import ASK, CONVERSE, DONE, FAILED, AdHocRun, python
from outside import wirelab

pytestmark = pytest.mark.kernel


def late(seconds: float) -> str:
    return f"import select; select.select([], [], [], {seconds})\n"


def test_a_client_runs_without_a_server(tmp_path: Path) -> None:
    done = wirelab("run", "--client", python(ASK), "--trace", "none", "--out", tmp_path)
    assert done.returncode == FAILED, done.stderr
    said = " ".join(done.stdout.split())
    assert "program client exited with status 1; its stderr ends: ConnectionRefused" in said
    assert "was refused with a RST" in said
    assert "server, on server" not in said


def test_without_waiting_the_client_starts_though_nothing_listens(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(late(60)), python("print('at once')"), "--no-wait")
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["client"] == "at once\n"
    assert "failure" not in run.programs["server"]


def test_a_server_goes_on_while_it_lingers(ad_hoc: Callable[..., AdHocRun]) -> None:
    goodbye = CONVERSE + late(1) + "print('goodbye')"
    run = ad_hoc(python(goodbye), python(ASK), "--linger", "20")
    assert (run.wrote["server"], run.programs["server"]["exit_status"]) == ("goodbye\n", 0)


def test_a_server_is_ended_when_it_has_lingered(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(CONVERSE + late(60)), python(ASK), "--linger", "1")
    assert run.programs["server"]["exit_status"] == -15
    ended_ns = run.programs["server"]["ended_ns"] - run.programs["client"]["ended_ns"]
    assert 1e9 <= ended_ns < 30e9


def test_the_deadline_is_the_servers_too(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(late(10.5) + CONVERSE), python(ASK), "--deadline", "60")
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["client"] == "b'HELLO' b''\n"


BIND = """
import os, socket
os.chdir("{folder}")
s = socket.socket(socket.AF_UNIX)
s.bind("here.sock")
s.listen()
peer, _ = s.accept()
peer.sendall(b"found")
"""
CONNECT = """
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("{unix}")
print(s.recv(100))
"""


def test_a_unix_path_relative_to_the_servers_folder_is_found(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    bind = BIND.replace("{folder}", "/run/wirelab")
    run = ad_hoc(python(bind), python(CONNECT), "--unix", "here.sock")
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["client"] == "b'found'\n"


def test_a_unix_socket_of_that_name_elsewhere_is_another(ad_hoc: Callable[..., AdHocRun]) -> None:
    bind = BIND.replace("{folder}", "/tmp")
    run = ad_hoc(python(bind), python("print(1)"), "--unix", "here.sock", "--deadline", "1")
    assert run.failure("server").startswith("never listened on /run/wirelab/here.sock within 1 s")


FULL = """
import ctypes, os, subprocess, sys
folder, *command = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
uid, gid = os.geteuid(), os.getegid()
flags = 0x20000 | (0x10000000 if uid else 0)
assert libc.unshare(flags) == 0, os.strerror(ctypes.get_errno())
if uid:
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"),
                       ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
assert libc.mount(b"none", b"/", None, 0x44000, None) == 0
assert libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, b"size=64k") == 0
done = subprocess.run([*command, "--out", folder], stdout=subprocess.DEVNULL)
sys.exit(done.returncode)
"""


def test_a_full_disk_is_named_by_the_file(tmp_path: Path) -> None:
    big = python("import sys; sys.stdout.write('x' * 500_000)")
    command = [sys.executable, "-P", "-m", "lab", "run", "--client", big, "--trace", "none"]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), *command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == FAILED, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "/recording.jsonl: No space left on device; use --out DIR" in done.stderr
