from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from house import ROOT

from lab.forked.server import MOST_ASKED_BYTES, ask

# In an interpreter of one thread, as the server needs it.
ASKED = """
import json, os, socket, sys
from lab.forked.server import ask, serve

def do(what):
    if what == b"die":
        os.kill(os.getpid(), 9)
    if what == b"fail":
        raise ValueError("as asked")
    return str(os.getpid()).encode() if what == b"pid" else what[::-1]

ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
pid = os.fork()
if pid == 0:
    ours.close()
    serve(theirs, do)
theirs.close()
answers = [ask(ours, bytes.fromhex(question)) for question in sys.argv[1:]]
ours.close()
_, status = os.waitpid(pid, 0)
print(json.dumps([status, pid, [[answer.hex(), why] for answer, why in answers]]))
"""


def asked(*questions: bytes) -> tuple[int, list[tuple[bytes, str]]]:
    """The server's pid, and what it answers that turns each question around."""
    words = [sys.executable, "-c", ASKED, *(question.hex() for question in questions)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    status, pid, answers = json.loads(done.stdout)
    assert status == 0
    return pid, [(bytes.fromhex(answer), why) for answer, why in answers]


@pytest.mark.programs
def test_bytes_are_answered_by_bytes_however_many() -> None:
    long = bytes(range(256)) * 200
    _, answers = asked(b"", b"abc", long)
    assert answers == [(b"", ""), (b"cba", ""), (long[::-1], "")]


@pytest.mark.programs
def test_each_is_done_in_a_process_of_its_own() -> None:
    pid, answers = asked(b"pid", b"pid")
    assert len({str(pid).encode(), *(answer for answer, _ in answers)}) == 3


@pytest.mark.programs
def test_what_fails_or_dies_is_said_in_words() -> None:
    _, answers = asked(b"fail", b"die", b"ok")
    failed, killed = "ValueError: as asked", "its process was killed"
    assert answers == [(b"", failed), (b"", killed), (b"ko", "")]


BESIDE = """
import json, os, socket, sys
from lab.forked.server import ask, serve

class Counting:
    # What the processes write to it is counted by the server.
    def __init__(self):
        self.counted, self.counts = os.pipe()
        self.heard, self.left = 0, False
    def fileno(self):
        return self.counted
    def serve(self):
        self.heard += len(os.read(self.counted, 100))
    def leave(self):
        os.close(self.counted)
        self.left = True
    def end(self):
        os.write(told, json.dumps([os.getpid(), self.heard, self.left]).encode())

hearing, told = os.pipe()
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
pid = os.fork()
if pid == 0:
    ours.close()
    begun = []
    def begin():
        begun.append(Counting())
        return begun[0]
    def do(what):
        os.write(begun[0].counts, what)
        return json.dumps([begun[0].left, os.getpid()]).encode()
    serve(theirs, do, begin_beside=begin)
theirs.close()
answers = [json.loads(ask(ours, what)[0]) for what in (b"a", b"bc")]
ours.close()
_, status = os.waitpid(pid, 0)
print(json.dumps([status, pid, answers, json.loads(os.read(hearing, 100))]))
"""


@pytest.mark.programs
def test_what_is_beside_is_served_left_by_the_processes_and_ended_last() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BESIDE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    status, pid, answers, (ended_by, heard, left) = json.loads(done.stdout)
    assert status == 0
    assert [is_left for is_left, _ in answers] == [True, True]
    assert len({pid, *(process for _, process in answers)}) == 3
    assert (ended_by, heard, left) == (pid, 3, False)


def test_a_question_that_no_message_holds_is_refused() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, pytest.raises(ValueError, match="at most"):
        ask(ours, b"x" * (MOST_ASKED_BYTES + 1))


def test_where_nobody_serves_that_is_said() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.close()
    with ours:
        assert ask(ours, b"x") == (b"", "its process was killed")
