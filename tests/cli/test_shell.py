"""`wirelab shell` by scripts: what it prints, saves and exits with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ad_hoc_run import CONVERSE
from outside import (
    check_refused,
    command,
    environment,
    marked,
    wait_until,
    wait_until_gone,
    wirelab,
)

from lab.recording.storage import load_recording

pytestmark = pytest.mark.kernel


def scripted(
    out: Path, script: str, *words: str, network: str = "two"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("shell", network, "--out", out, "--trace", "none", *words),
        input=script,
        env=environment(),
        cwd=out,
        capture_output=True,
        text=True,
        timeout=60,
    )


def report(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "shell" / "latest" / "report.json").read_text())
    return found


def test_a_script_is_executed_line_by_line_and_reported(tmp_path: Path) -> None:
    script = "# two of them\nclient echo one\n\nserver echo two | tr a-z A-Z\n"
    done = scripted(tmp_path, script)
    assert done.returncode == 0, done.stderr
    shown, _, rest = done.stdout.partition("shell over IPv4: a session of your own")
    assert shown.splitlines() == [
        "wirelab> # two of them",
        "wirelab> client echo one",
        "one",
        "wirelab> ",
        "wirelab> server echo two | tr a-z A-Z",
        "TWO",
    ]
    assert "Artifacts: " in rest
    programs = report(tmp_path)["programs"]
    assert [(each["name"], each["host"]) for each in programs] == [
        ("client", "client"),
        ("server", "server"),
    ]
    names = {path.name for path in (tmp_path / "shell" / "latest").iterdir()}
    assert {"report.html", "recording.pcapng", "wire.pcapng", "ladder.svg"} <= names


def test_a_job_serves_what_comes_after_it(tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(CONVERSE.replace("{port}", "4242"))
    (tmp_path / "ask.py").write_text(ASK_ONCE_IT_LISTENS)
    lines = (f"server {sys.executable} serve.py &", f"client {sys.executable} ask.py server")
    done = scripted(tmp_path, "\n".join(lines))
    assert done.returncode == 0, done.stderr
    assert "b'HELLO' b''" in done.stdout
    verdicts = {claim["id"]: claim["verdict"] for claim in report(tmp_path)["claims"]}
    assert verdicts["shell-opens"] == verdicts["shell-closes"] == "HOLDS"


ASK_ONCE_IT_LISTENS = """
import socket, sys
while True:
    s = socket.socket()
    if not s.connect_ex((sys.argv[1], 4242)):
        break
    s.close()
s.sendall(b"hello")
s.shutdown(socket.SHUT_WR)
print(s.recv(100), s.recv(100))
"""


def test_lines_may_be_options(tmp_path: Path) -> None:
    lines = ("--command", "h1 echo {h2} h3", "--command", "quit", "--family", "6")
    done = scripted(tmp_path, "h1 echo never\n", *lines, network="star:3")
    assert done.returncode == 0, done.stderr
    assert "2001:db8::2 2001:db8::3\n" in done.stdout
    assert "never" not in done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("client false", "exit status 1"),
        ("clint x", "did you mean 'client'?"),
        ("client no-such-program", "No such file"),
        ("client kill -9 $$", "exit status 137"),
    ],
)
def test_a_line_that_fails_is_the_exit_status_and_the_next_is_executed(
    tmp_path: Path, line: str, said: str
) -> None:
    done = scripted(tmp_path, f"{line}\nclient echo went on\n", "-q")
    assert done.returncode == 2
    assert said in done.stderr
    assert "went on\n" in done.stdout


def test_a_wire_is_given_rules_and_what_has_happened_is_drawn(tmp_path: Path) -> None:
    lines = (
        "wire client>server drop icmp 1",
        "client ping -c2 -i 0.2 server",
        "wire",
        "ladder",
        "wire client-server off",
        "link client server down",
        "link client server up",
    )
    done = scripted(tmp_path, "\n".join(lines))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 packets transmitted, 1 received" in done.stdout
    assert "client>server drop icmp 1  (1 frame)" in done.stdout
    assert "── So far ──" in done.stdout
    assert "f3 ICMP echo request" in done.stdout.partition("── So far ──")[2]
    rules = load_recording(tmp_path / "shell" / "latest").wire_rules
    assert [(rule.text, rule.strikes) for rule in rules] == [
        ("client>server drop icmp 1", 1),
        ("client-server down", 1),
        ("client-server up", 1),
    ]


def test_it_is_judged_again_the_same(tmp_path: Path) -> None:
    scripted(tmp_path, "client ping -c1 server\n")
    again = wirelab("replay", tmp_path / "shell" / "latest", "-q")
    assert again.returncode == 0, again.stdout
    assert "shell over IPv4" in again.stdout


def test_a_network_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("from lab.api import laid_out\nTOPOLOGY = laid_out([('alice', 'bob')])\n")
    done = scripted(tmp_path, "alice ping -c1 bob\n", "-q", network=str(file))
    assert done.returncode == 0, done.stderr
    assert "1 received" in done.stdout


def test_a_host_with_a_commands_name_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("from lab.api import laid_out\nTOPOLOGY = laid_out([('jobs', 'bob')])\n")
    assert "has the name of a command" in check_refused(wirelab("shell", file, "--out", tmp_path))


def test_ctrl_c_ends_the_program_and_the_script_and_what_was_seen_is_saved(
    tmp_path: Path, marker: str
) -> None:
    session = subprocess.Popen(
        command("shell", "two", "--out", tmp_path, "--trace", "none"),
        env=environment(WIRELAB_TEST_MARKER=marker),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert session.stdin is not None
    assert session.stdout is not None
    session.stdin.write("client sh -c 'echo begun; exec sleep 99'\nclient echo never\n")
    session.stdin.close()
    while session.stdout.readline() != "begun\n":
        pass
    session.send_signal(signal.SIGINT)
    rest = session.stdout.read()
    assert session.wait(60) == 130
    assert "never" not in rest
    assert "Artifacts: " in rest
    (run,) = report(tmp_path)["programs"]
    assert run["exit_status"] == -signal.SIGINT
    assert "failure" not in run
    wait_until_gone(marker)


def test_sigkill_leaves_nothing(tmp_path: Path, marker: str) -> None:
    session = subprocess.Popen(
        command("shell", "star:3", "--out", tmp_path),
        env=environment(WIRELAB_TEST_MARKER=marker),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert session.stdin is not None
    assert session.stdout is not None
    session.stdin.write("h1 sleep 99 &\nh2 sh -c 'setsid sleep 99 & echo begun; sleep 99'\n")
    session.stdin.flush()
    while session.stdout.readline() != "begun\n":
        pass
    wait_until(lambda: len(marked(marker) - {session.pid}) >= 3)
    os.kill(session.pid, signal.SIGKILL)
    session.wait()
    wait_until_gone(marker)
    session.stdin.close()
    session.stdout.close()
