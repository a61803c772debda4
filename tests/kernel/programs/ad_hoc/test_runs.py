"""Two commands of anybody's, and what is said of what they do.

Most are not traced: what is said of their calls is tested by itself.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ad_hoc_run import (
    ASK,
    CANNOT,
    CONVERSE,
    DONE,
    SERVE_FOR_EVER,
    AdHocRun,
    python,
)
from event_ids import named
from forked_wirelab import forked_wirelab
from outside import NOBODY, names_in, wirelab

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("family", ["4", "6"])
def test_a_conversation_of_two_programs_is_reported(
    ad_hoc: Callable[..., AdHocRun], family: str
) -> None:
    server = CONVERSE.replace('create_server(("", {port}))', SERVER_OF[family])
    run = ad_hoc(python(server), python(ASK), "--family", family)
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["client"] == "b'HELLO' b''\n"
    assert [each.get("failure") for each in run.programs.values()] == [None, None]
    assert run.programs["server"]["ready_ns"] < run.programs["client"]["started_ns"]
    assert {run.verdicts[f"ad-hoc-{name}"] for name in ("opens", "no-early-payload", "closes")} == {
        "HOLDS"
    }
    assert run.verdicts["ad-hoc-checksums"] == "HOLDS"
    assert run.verdicts["ad-hoc-unix-silent"] == run.verdicts["ad-hoc-udp-begins"] == "SKIPPED"
    assert run.report["family"] == int(family)


SERVER_OF = {
    "4": 'create_server(("", {port}))',
    "6": 'create_server(("::", {port}), family=socket.AF_INET6)',
}


@pytest.mark.parametrize("family", ["4", "6"])
def test_a_host_is_found_by_its_name(ad_hoc: Callable[..., AdHocRun], family: str) -> None:
    server = CONVERSE.replace('create_server(("", {port}))', SERVER_OF[family])
    client = ASK.replace("{server}", "server") + 'print(socket.gethostbyaddr("{server}")[0])'
    run = ad_hoc(python(server), python(client), "--family", family)
    assert run.wrote["client"] == "b'HELLO' b''\nserver\n"


def test_such_a_run_is_judged_again_the_same(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(CONVERSE), python(ASK))
    before = (run.folder / "report.json").read_bytes()
    again = forked_wirelab("replay", run.folder, "-v")
    assert again.returncode == DONE
    assert "identical" in again.stdout
    assert (run.folder / "report.json").read_bytes() == before
    strip = "Artifacts"
    assert again.stdout.partition(strip)[0] == run.done.stdout.partition(strip)[0]


def test_both_families_are_two_runs(ad_hoc: Callable[..., AdHocRun], tmp_path: Path) -> None:
    run = ad_hoc(python(CONVERSE.replace('("", {port})', EITHER)), python(ASK), "--family", "both")
    assert run.done.returncode == DONE
    assert run.report["family"] == 6
    assert len(names_in(tmp_path / "ad-hoc") - {"latest"}) == 2
    assert "ad-hoc over IPv4: " in run.done.stdout
    assert "ad-hoc over IPv6: " in run.done.stdout


EITHER = '("{server}", {port}), family=socket.AF_INET6 if {family} == 6 else socket.AF_INET'


def test_a_server_that_serves_for_ever_is_ended_and_has_not_failed(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(SERVE_FOR_EVER.replace("{six}", "")), python(ASK), "--deadline", "40")
    assert run.done.returncode == DONE
    assert run.wrote["client"] == "b'HELLO' b''\n"
    assert run.programs["server"]["exit_status"] == -15
    assert run.programs["server"]["remark"].startswith("went on, and was ended by SIGTERM")
    assert "failure" not in run.programs["server"]
    assert run.lasted_s("server") < 40


def test_a_server_that_ignores_sigterm_is_killed_and_has_not_failed(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    run = ad_hoc(python(ignore + SERVE_FOR_EVER.replace("{six}", "")), python(ASK))
    assert run.done.returncode == DONE
    assert run.programs["server"]["exit_status"] == -9
    assert "killed 1 s after SIGTERM" in run.programs["server"]["remark"]


def test_a_server_ends_by_itself_where_it_ends_with_its_client(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    goodbye = CONVERSE + "import select; select.select([], [], [], 0.1); print('goodbye')"
    run = ad_hoc(python(goodbye), python(ASK))
    assert run.wrote["server"] == "goodbye\n"
    assert run.programs["server"]["exit_status"] == 0


def test_the_port_is_whichever_the_server_takes(ad_hoc: Callable[..., AdHocRun]) -> None:
    """Without --port and {port} it shows by the client finding it: 4321 is not the default."""
    fixed = {"{port}": "4321"}
    server, client = (text.replace("{port}", fixed["{port}"]) for text in (CONVERSE, ASK))
    run = ad_hoc(python(server), python(client))
    assert run.wrote["client"] == "b'HELLO' b''\n"
    assert {flow["b"] for flow in run.report["flows"]} == {"198.51.100.2:4321"}


def test_a_socket_on_another_port_than_the_one_awaited_is_not_enough(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    first = "import socket\nother = socket.create_server(('', 1111))\n"
    pause = "import select; select.select([], [], [], 0.3)\n"
    run = ad_hoc(python(first + pause + CONVERSE), python(ASK), "--port", "2222")
    assert run.wrote["client"] == "b'HELLO' b''\n"
    server = run.programs["server"]
    assert server["ready_ns"] - server["started_ns"] > 300_000_000


ANSWER_DATAGRAM = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", {port}))
data, peer = s.recvfrom(100)
s.sendto(data.upper(), peer)
"""
ASK_BY_DATAGRAM = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"hello", ("{server}", {port}))
print(s.recv(100))
"""


def test_datagrams_alone(ad_hoc: Callable[..., AdHocRun]) -> None:
    run = ad_hoc(python(ANSWER_DATAGRAM), python(ASK_BY_DATAGRAM))
    assert run.wrote["client"] == "b'HELLO'\n"
    assert run.verdicts["ad-hoc-udp-begins"] == "HOLDS"
    assert run.verdicts["ad-hoc-opens"] == "SKIPPED"
    assert run.programs["server"]["exit_status"] == 0
    told = "is reached at UDP port 4242 alone: no TCP socket listens"
    assert run.programs["server"]["remark"] == told
    assert told in " ".join(run.done.stdout.split())


@pytest.mark.skipif(os.geteuid() != 0, reason="drops are reported to root alone")
def test_a_dropped_segment_is_reported_with_the_kernels_reason(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(ANSWER_DATAGRAM), python(ASK), trace="auto")
    if not any(instrument["kind"] == "drops" for instrument in run.report["instruments"]):
        pytest.skip("BPF cannot be used here")
    # Beside other runs the machine may drop more at the same time.
    reasons = {event["reason"] for event in run.report["events"] if event["id"]["kind"] == "drop"}
    assert "NO_SOCKET" in reasons
    syn = next(event for event in run.report["events"] if event.get("tcp", {}).get("flags"))
    assert f"dropped by the kernel: NO_SOCKET ({named(syn['id'])} SYN" in run.done.stdout


@pytest.mark.parametrize("kind", ["STREAM", "DGRAM", "SEQPACKET"])
@pytest.mark.parametrize("path", ["", "other", "/run/wirelab/third"])
def test_a_unix_socket(ad_hoc: Callable[..., AdHocRun], kind: str, path: str) -> None:
    listen = "" if kind == "DGRAM" else "s.listen()\ns, _ = s.accept()\n"
    start = f"import socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_{kind})\n"
    server = start + "s.bind('{unix}')\n" + listen + "print(s.recv(100))"
    client = start + "s.connect('{unix}')\ns.send(b'hello')"
    run = ad_hoc(python(server), python(client), *(("--unix", path) if path else ()))
    assert run.wrote["server"] == "b'hello'\n"
    assert run.report["family"] is None
    assert run.report["capture"]["points"] == [
        "client/eth0", "server/eth0", "client/lo", "server/lo",
    ]  # fmt: skip
    assert not run.report["flows"]
    assert run.verdicts["ad-hoc-checksums"] == "SKIPPED"
    # Not one frame was seen; without a trace, nor was one byte.
    assert run.verdicts["ad-hoc-unix-silent"] == "SKIPPED"


def test_a_server_that_forks_and_exits_once_it_listens(ad_hoc: Callable[..., AdHocRun]) -> None:
    fork = "\nimport os\nif os.fork(): os._exit(0)\nos.setsid()\npeer, _"
    run = ad_hoc(python(CONVERSE.replace("\npeer, _", fork)), python(ASK))
    assert run.done.returncode == DONE
    assert run.wrote["client"] == "b'HELLO' b''\n"
    remark = "exited with status 0 while processes that it had started went on"
    assert run.programs["server"]["remark"] == remark
    assert remark in run.done.stdout


def test_a_server_that_forks_and_exits_before_it_listens(ad_hoc: Callable[..., AdHocRun]) -> None:
    fork = """
import os, select
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
select.select([], [], [], 0.3)
"""
    run = ad_hoc(python(fork + SERVE_FOR_EVER.replace("{six}", "")), python(ASK))
    assert run.done.returncode == DONE
    assert run.wrote["client"] == "b'HELLO' b''\n"
    assert "remark" in run.programs["server"]


def test_other_braces_are_the_commands_own(ad_hoc: Callable[..., AdHocRun]) -> None:
    shell = "x=1; echo ${x} {a,b} '{'"
    run = ad_hoc(python(CONVERSE), shlex.join(("sh", "-c", shell + "; " + python(ASK))))
    assert run.wrote["client"].startswith("1 {a,b} {\n")
    assert "b'HELLO'" in run.wrote["client"]


ANSWER_UNIX = """
import socket
listener = socket.socket(socket.AF_UNIX)
listener.bind("{unix}")
listener.listen()
peer, _ = listener.accept()
peer.sendall(peer.recv(100).upper())
"""
ASK_UNIX = """
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("{unix}")
s.sendall(b"hello")
print(s.recv(100))
"""


@pytest.mark.parametrize("trace", ["bpf", "ptrace"])
@pytest.mark.parametrize(
    ("server", "client", "decided"),
    [
        (CONVERSE, ASK, {"opens", "no-early-payload", "connect", "accept", "stream-bytes",
                         "closes", "checksums"}),
        (ANSWER_DATAGRAM, ASK_BY_DATAGRAM, {"udp-begins", "datagram-bytes", "checksums"}),
        (ANSWER_UNIX, ASK_UNIX, {"unix-silent"}),
    ],
    ids=["stream", "datagram", "unix"],
)  # fmt: skip
def test_with_a_trace_everything_is_decided(
    ad_hoc: Callable[..., AdHocRun],
    tmp_path: Path,
    trace: str,
    server: str,
    client: str,
    decided: set[str],
) -> None:
    out = tmp_path / "tried"
    tried = wirelab("run", "--server", "true", "--client", "true", "--trace", trace, "--out", out)
    if tried.returncode == CANNOT:
        pytest.skip(tried.stderr)
    run = ad_hoc(python(server), python(client), trace=trace)
    assert run.done.returncode == DONE, run.done.stdout
    holding = {name for name, verdict in run.verdicts.items() if verdict == "HOLDS"}
    assert holding == {f"ad-hoc-{name}" for name in decided}


def test_as_an_ordinary_user(
    as_sandboxing_nobody: tuple[str, ...], anyones_folder: Path, marker: str
) -> None:
    done = wirelab(
        *("run", "--server", python(CONVERSE), "--client", python(ASK), "--out", anyones_folder),
        *("--trace", "none", "--json"),
        as_user=as_sandboxing_nobody,
    )
    assert done.returncode == DONE, done.stderr
    report = json.loads(done.stdout)
    verdicts = {claim["id"]: claim["verdict"] for claim in report["claims"]}
    assert verdicts["ad-hoc-opens"] == verdicts["ad-hoc-closes"] == "HOLDS"
    if os.geteuid() == 0:
        assert next(anyones_folder.iterdir()).stat().st_uid == NOBODY


# Programs that everybody knows.


def needs(*names: str) -> None:
    for name in names:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")


def test_netcat(ad_hoc: Callable[..., AdHocRun]) -> None:
    needs("nc", "sh")
    run = ad_hoc("nc -l {port}", "sh -c 'echo hello | nc -w 1 {server} {port}'")
    if "usage" in run.done.stdout or "invalid option" in run.done.stdout:
        pytest.skip("this nc has other options")
    assert run.wrote["server"] == "hello\n"
    assert run.verdicts["ad-hoc-opens"] == run.verdicts["ad-hoc-closes"] == "HOLDS"


@pytest.mark.parametrize("family", ["4", "6"])
def test_curl_against_pythons_http_server(
    ad_hoc: Callable[..., AdHocRun], tmp_path: Path, family: str
) -> None:
    needs("curl")
    (tmp_path / "page").write_text("a page of its own\n")
    serve = (sys.executable, "-m", "http.server", "--bind", "{server}", "--directory", tmp_path)
    run = ad_hoc(
        shlex.join([*map(str, serve), "{port}"]),
        "curl -s --noproxy * http://{server_url}:{port}/page",
        *("--family", family),
    )
    assert run.wrote["client"] == "a page of its own\n"
    assert run.programs["server"]["exit_status"] == -15
    assert run.done.returncode == DONE
    assert "GET /page" in run.done.stdout


def test_iperf3_for_a_second(ad_hoc: Callable[..., AdHocRun]) -> None:
    needs("iperf3")
    run = ad_hoc("iperf3 -s -1", "iperf3 -c {server} -t 1 -b 10M")
    assert "iperf Done." in run.wrote["client"]
    assert len([flow for flow in run.report["flows"] if flow["id"].startswith("tcp")]) == 2
    assert run.done.returncode == DONE


C_SERVER = r"""
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), peer;
    char text[100];
    ssize_t length;
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1)) return 1;
    peer = accept(listener, NULL, NULL);
    while ((length = read(peer, text, sizeof text)) > 0) write(peer, text, length);
    puts("done");
    return 0;
}
"""


def test_a_program_in_c(ad_hoc: Callable[..., AdHocRun], tmp_path: Path) -> None:
    needs("gcc")
    source, program = tmp_path / "echo.c", tmp_path / "echo"
    source.write_text(C_SERVER)
    subprocess.run(["gcc", "-o", program, source], check=True)
    run = ad_hoc(f"{program} {{port}}", python(ASK))
    assert run.wrote == {"server": "done\n", "client": "b'hello' b''\n"}
    assert run.verdicts["ad-hoc-closes"] == "HOLDS"
