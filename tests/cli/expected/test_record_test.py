from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from outside import environment, wirelab

pytestmark = [pytest.mark.kernel, pytest.mark.once]

SERVER = """\
import datetime, socket
listener = socket.create_server(("", 4242))
peer, _ = listener.accept()
text = peer.recv(99)
peer.sendall(b"Date: %s\\nyou said: %s\\n" % (str(datetime.datetime.now()).encode(), text))
peer.close()
"""
CLIENT = """\
import socket, sys
with socket.create_connection((sys.argv[1], 4242)) as connection:
    connection.sendall(b"hello")
    while connection.recv(99): pass
"""
LINGER = "peer.setsockopt(1, 13, bytes([1, 0, 0, 0, 0, 0, 0, 0]))"
CHANGES = {
    "RST for FIN": ("peer.close()", f"{LINGER}; peer.close()"),
    "an extra round trip": ("text = peer.recv(99)", "peer.sendall(b'who?'); text = peer.recv(99)"),
    "other bytes": ("you said", "she said"),
}


def pytest_in(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_recorded.py"],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def test_runs_become_a_test_that_passes_and_fails_on_changes(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER, "utf-8")
    (tmp_path / "client.py").write_text(CLIENT, "utf-8")
    commands = ("--server", "python3 server.py", "--client", "python3 client.py {server}")
    for _ in range(2):
        done = wirelab("run", *commands, "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    folders = sorted((tmp_path / "runs/ad-hoc").glob("2*"))
    done = wirelab("record-test", *folders, "--out", "test_recorded.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Date: *" in (tmp_path / "test_recorded.py").read_text("utf-8")
    again = pytest_in(tmp_path)
    assert "1 passed" in again.stdout, again.stdout
    for change, (old, new) in CHANGES.items():
        assert old in SERVER
        (tmp_path / "server.py").write_text(SERVER.replace(old, new), "utf-8")
        changed = pytest_in(tmp_path)
        assert "1 failed" in changed.stdout, f"{change}: {changed.stdout}"
