"""Runs with --source: the lines of the calls, and that nothing else differs."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ad_hoc_run import ASK, CONVERSE, DONE, AdHocRun, python
from forked_wirelab import forked_wirelab

from lab.analysis.timeline import Timeline
from lab.records import SourceLine
from lab.results import Result
from lab.run import judged

pytestmark = pytest.mark.kernel


def lines_by_call(timeline: Timeline, program: str) -> list[tuple[str, str]]:
    """Of each call of a program its name, and the text of the line that made it."""
    return [
        (call.name, text_of(timeline.line_of[call.id]) if call.id in timeline.line_of else "")
        for call in timeline.system_calls
        if call.program == program
    ]


def text_of(line: SourceLine) -> str:
    return line.text[line.number - line.first].strip()


def verdicts(folder: Path) -> dict[str, str]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return {claim["id"]: claim["verdict"] for claim in report["claims"]}


def ran(name: str, out: Path, *options: str) -> Path:
    done = forked_wirelab("run", name, "--out", out, "-q", *options)
    assert done.returncode == DONE, done.stdout + done.stderr
    return out / name / "latest"


@pytest.mark.parametrize("name", ["tcp", "udp", "unix"])
def test_every_verdict_and_call_is_as_without_and_has_its_line(name: str, tmp_path: Path) -> None:
    plain = ran(name, tmp_path / "plain")
    noted = ran(name, tmp_path / "noted", "--source")
    assert verdicts(noted) == verdicts(plain)
    assert set(verdicts(noted).values()) == {"HOLDS"}
    for without, timeline in zip(
        judged(str(plain)).timelines, judged(str(noted)).timelines, strict=True
    ):
        for run in timeline.programs:
            found = lines_by_call(timeline, run.name)
            # How many reads a stream takes depends on when its bytes come.
            assert {call for call, _ in found} == {c for c, _ in lines_by_call(without, run.name)}
            # What a program has dropped is closed by the garbage collector, for no line.
            assert {call for call, text in found if not text} <= {"close"}
        assert without.line_of == {}


def test_the_line_of_connect_is_the_one_that_says_so(tmp_path: Path) -> None:
    result: Result = judged(str(ran("tcp", tmp_path, "--source")))
    found = dict(lines_by_call(result.timelines[0], "client"))
    assert found["connect"] == "connection.connect((address, port))"
    assert found["close"] == "connection.close()"
    found = dict(lines_by_call(result.timelines[0], "server"))
    assert found["accept4"] == "connection, peer = listener.accept()"
    assert found["listen"] == "listener.listen(1)"


TRACED = {"trace": "auto"}


def test_a_command_of_ones_own_is_noted_from_its_file_or_its_text(
    ad_hoc: Callable[..., AdHocRun], tmp_path: Path
) -> None:
    run = ad_hoc(python(CONVERSE), python(ASK), "--source", **TRACED)
    assert run.done.returncode == DONE, run.done.stdout
    (timeline,) = judged(str(run.folder)).timelines
    assert ("connect", 's = socket.create_connection(("198.51.100.2", 4242))') in lines_by_call(
        timeline, "client"
    )
    assert '<string>:3  s.sendall(b"hello")' in run.done.stdout
    assert run.programs["client"]["argv"][:3] == [sys.executable, "-IS", "-c"]


def test_a_program_that_is_no_python_has_no_lines_and_it_is_said(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    shell = shlex.join(("sh", "-c", python(ASK)))
    run = ad_hoc(python(CONVERSE), shell, "--source", **TRACED)
    assert run.done.returncode == DONE, run.done.stdout
    (said,) = [i["text"] for i in run.report["instruments"] if i["kind"] == "source lines"]
    assert said.endswith("; nothing by client: sh is no Python program")
    (timeline,) = judged(str(run.folder)).timelines
    assert {text for _, text in lines_by_call(timeline, "client")} == {""}
    assert ("accept4", "peer, _ = listener.accept()") in lines_by_call(timeline, "server")


FORGE = """
import os, sys
for number in range(3, 300):
    try:
        if "wirelab-source" in os.readlink("/proc/self/fd/%d" % number):
            memory = number
    except OSError:
        pass
os.pwrite(memory, bytes(range(256)) * 64 * 1024, 0)
try:
    os.ftruncate(memory, 1 << 40)
except PermissionError:
    print("sealed")
os.lseek(memory, 1 << 40, os.SEEK_SET)
import socket
socket.create_connection(("{server}", {port})).close()
"""


def test_a_program_that_writes_what_it_likes_harms_itself_alone(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(CONVERSE), python(FORGE), "--source", **TRACED)
    assert run.done.returncode == DONE, run.done.stdout
    assert run.wrote["client"] == "sealed\n"
    (timeline,) = judged(str(run.folder)).timelines
    assert dict(lines_by_call(timeline, "server"))["listen"] != ""


LOOP = """
import asyncio
async def main():
    async def talk(reader, writer):
        writer.write(await reader.read(100))
        await writer.drain()
        writer.close()
        server.close()
    server = await asyncio.start_server(talk, "{server}", {port})
    try:
        await server.serve_forever()
    except asyncio.CancelledError:
        pass
asyncio.run(main())
"""


def test_a_coroutine_that_writes_has_its_line_and_what_the_loop_reads_the_loops(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(LOOP), python(ASK), "--source", **TRACED)
    (timeline,) = judged(str(run.folder)).timelines
    found = lines_by_call(timeline, "server")
    assert ("sendto", "writer.write(await reader.read(100))") in found
    assert ("recvfrom", "asyncio.run(main())") in found
    read = next(c for c in timeline.system_calls if c.program == "server" and c.name == "recvfrom")
    assert timeline.line_of[read.id].through.startswith("_read_ready__data_received, ")


TOGETHER = """
import os, socket, threading
a, b = socket.socketpair()
def send(data):
    a.send(data)
thread = threading.Thread(target=send, args=(b"x",))
thread.start()
thread.join()
if not os.fork():
    a.send(b"child")
    os._exit(0)
os.wait()
a.send(b"parent")
b.recv(100)
"""


def test_a_thread_and_a_forked_child_have_their_own_lines(
    ad_hoc: Callable[..., AdHocRun],
) -> None:
    run = ad_hoc(python(CONVERSE), python(TOGETHER), "--source", **TRACED)
    (timeline,) = judged(str(run.folder)).timelines
    found = {
        call.data: (text_of(timeline.line_of[call.id]), call.pid, call.tid)
        for call in timeline.system_calls
        if call.program == "client" and call.name == "sendto"
    }
    assert {data: text for data, (text, _, _) in found.items()} == {
        b"x": "a.send(data)",
        b"child": 'a.send(b"child")',
        b"parent": 'a.send(b"parent")',
    }
    assert len({pid for _, pid, _ in found.values()}) == 2
    assert len({tid for _, _, tid in found.values()}) == 3
