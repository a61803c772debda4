"""What the clients of the sheet tcp_echo see of servers, in a network without a grader."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tcp_echo_clients
from mutants import RIGHT, Mutant, mutants_of

from lab.testing.bench import Bench, Settings
from lab.testing.patient_client import FIN

ADDRESSES = ("198.51.100.2", "2001:db8::2")
NO_COMPILER = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
MUTANTS = {str(mutant): mutant for mutant in mutants_of("tcp_echo")}


def command(program: str | Mutant, folder: Path) -> str:
    """What starts it, built."""
    mutant = program if isinstance(program, Mutant) else Mutant("", "", program, ())
    file = folder / f"echo{mutant.end}"
    file.write_text(mutant.text(), "utf-8")
    if mutant.end == ".py":
        return f"python3 {file} {{port}}"
    binary = folder / "echo"
    subprocess.run(["cc", "-std=gnu17", "-O1", "-o", binary, file], check=True, timeout=60)
    return f"{binary} {{port}}"


def seen_of(program: str | Mutant, folder: Path) -> dict[str, Any]:
    """What clients see of it that come one after another."""
    bench = Bench(folder / "runs", Settings(trace="none"))
    bench.start(command(program, folder))
    said = bench.python(tcp_echo_clients.converse, *ADDRESSES, 4242, deadline_s=60)
    bench.run()
    assert isinstance(said.value, dict)
    return said.value


@pytest.mark.kernel
@NO_COMPILER
@pytest.mark.parametrize("program", RIGHT["tcp_echo"][:2])
def test_a_right_server_gives_back_what_each_client_sends(program: str, tmp_path: Path) -> None:
    for name, what in seen_of(program, tmp_path).items():
        assert (name, what["got"], what["end"]) == (name, what["sent"], FIN)
        assert not what["early"]


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("name", "client", "got"),
    [
        ("one-recv-one-message", "words4", b"hello"),
        ("how-bytes-are-written", "nul", b"b'before\\x00behind'"),
        ("strips", "high", tcp_echo_clients.HIGH.strip()),
        ("text-not-bytes", "high", b""),
    ],
)
def test_a_mistake_is_seen_by_a_client(name: str, client: str, got: bytes, tmp_path: Path) -> None:
    seen = seen_of(MUTANTS[name], tmp_path)
    assert seen[client]["got"] == got
