"""HTTP through a unix socket, as tshark shows what its calls sent."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ad_hoc_run import DONE, AdHocRun, python
from documented import run_line, tshark_lines
from outside import wirelab

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(
        not (shutil.which("tshark") and shutil.which("curl")), reason="needs tshark and curl"
    ),
]

SERVE = """
import http.server, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *words):
        pass
with socketserver.UnixStreamServer(sys.argv[1], Handler) as server:
    server.handle_request()
"""


def test_tshark_shows_curls_request_and_its_response(
    ad_hoc: Callable[..., AdHocRun], tmp_path: Path
) -> None:
    run = ad_hoc(
        python(SERVE, "{unix}"),
        "curl -s --unix-socket {unix} http://localhost/over-unix",
        "--unix",
        "http.sock",
        trace="auto",
    )
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["client"] == "hello"
    written = wirelab("report", run.folder, "--format", "unix")
    assert written.returncode == DONE, written.stderr
    (tmp_path / "runs").symlink_to(run.folder.parents[1])
    documented = [line for page, line in tshark_lines() if page == "unix-packets.md"]
    shown_by_it = run_line(next(line for line in documented if "runs/ad-hoc" in line), tmp_path)
    assert "GET /over-unix HTTP/1.1" in shown_by_it
    fields = ["http.request.method", "http.request.uri", "http.response.code", "http.request_in"]
    command = ["tshark", "-r", str(run.folder / "unix.pcapng"), "-T", "fields", "-Y"]
    command += ["http.request or http.response"]
    command += [word for field in ("frame.number", *fields) for word in ("-e", field)]
    shown = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    request, response = (line.split("\t") for line in shown.stdout.splitlines())
    assert request[1:] == ["GET", "/over-unix", "", ""]
    assert response[1:] == ["", "", "200", request[0]]
