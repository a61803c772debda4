"""Two commands of anybody's, run as `wirelab run --server --client` runs them."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from forked_wirelab import forked_wirelab

from lab.experiments.running import EXPERIMENTS
from lab.model.family import Family

DONE, FAILED, CANNOT = 0, 2, 3

CONVERSE = """
import socket
listener = socket.create_server(("", {port}))
peer, _ = listener.accept()
while data := peer.recv(100):
    peer.sendall(data.upper())
"""
ASK = """
import socket
s = socket.create_connection(("{server}", {port}))
s.sendall(b"hello")
s.shutdown(socket.SHUT_WR)
print(s.recv(100), s.recv(100))
"""
SERVE_FOR_EVER = """
import socket
listener = socket.create_server(("{server}", {port}), family=socket.AF_INET{six})
while True:
    peer, _ = listener.accept()
    with peer:
        peer.sendall(peer.recv(100).upper())
"""


def python(code: str, *words: str) -> str:
    return shlex.join((sys.executable, "-IS", "-c", code.strip(), *words))


SHOWN = {each.cause: each for each in EXPERIMENTS}
"""The experiments by what they show: what they run is written there, and not in tests again."""


TYPED = frozenset({
    "bound-to-loopback", "connect-in-progress", "control-too-long", "datagram-too-long",
    "fast-open-fell-back", "fast-open-no-cookie", "fast-open-not-granted", "fragment-lost",
    "group-by-loopback", "group-without-interface", "netlink-overrun", "no-neighbour",
    "no-port-left", "no-route", "nobody-yet", "nothing-yet", "receive-buffer-full",
    "scope-missing", "syn-filtered", "syn-refused-by-filter", "unix-accept-queue-full",
    "unix-another-type", "unix-no-file", "unix-peer-closed",
})  # fmt: skip
"""Those that tests/kernel/causes run, as they are and by ptrace and by BPF, for what is said."""


def typed(cause: str) -> tuple[str, ...]:
    """What is typed for an experiment on two hosts: its server or "", its client, its options.

    It has the deadline that anybody's programs have: a busy machine may need it.
    """
    assert cause in TYPED
    one = SHOWN[cause]
    assert not one.topology and one.waits
    words: list[str] = []
    if one.family is Family.IPV6:
        words += ["--family", "6"]
    for option, values in (
        ("--wire", one.wire),
        ("--sysctl", [f"{name}={value}" for name, value in one.sysctls.items()]),
        ("--cap", one.capabilities),
        ("--unix", [one.unix] if one.unix else ()),
    ):
        words += [word for value in values for word in (option, value)]
    return python(one.server) if one.server else "", python(one.client), *words


class AdHocRun:
    """One run of two commands, or of the client alone where the server is ""."""

    def __init__(
        self, out: Path, server: str, client: str, *options: str, trace: str = "none"
    ) -> None:
        words = (
            "run",
            *(("--server", server) if server else ()),
            "--client",
            client,
            "--trace",
            trace,
            "--out",
            out,
            "-v",
        )
        self.done = forked_wirelab(*words, *options)
        self.folder = out / "ad-hoc" / "latest"
        assert self.done.stderr == ""
        self.report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        self.programs = {run["name"]: run for run in self.report["programs"]}
        records = (self.folder / "recording.jsonl").read_text().splitlines()
        lines = [json.loads(line) for line in records]
        self.wrote = {line["name"]: line["stdout"] for line in lines if line["record"] == "program"}
        self.verdicts = {claim["id"]: claim["verdict"] for claim in self.report["claims"]}

    @property
    def causes(self) -> dict[str, str]:
        """The texts of the causes that were found, by their names."""
        return {cause["name"]: cause["text"] for cause in self.report["causes"]}

    @property
    def head(self) -> str:
        return " ".join(self.done.stdout.partition("\n\n")[0].split())

    def lasted_s(self, name: str) -> float:
        """From the program's start until its end was known."""
        run = self.programs[name]
        lasted: int = run["ended_ns"] - run["started_ns"]
        return lasted / 1e9

    def failure(self, name: str) -> str:
        """One line, in the report's head as well."""
        told: str = self.programs[name]["failure"]
        assert "\n" not in told
        assert f"program {name} {told}" in self.head
        assert self.done.returncode == FAILED
        return told
