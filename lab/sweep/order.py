"""A run as it is ordered of whatever process, on whatever machine: as JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lab.errors import UsageError
from lab.frozen import frozen
from lab.sweep.grid import Wanted


@frozen
class ScenarioFile:
    """Which file a scenario of a sweep is in."""

    path: str
    """Absolute; "" of one of wirelab's own, which has no path in common with other machines'."""
    digest: str
    """Of the file's bytes, by SHA-256; "" of wirelab's own."""


@frozen
class RunOrder:
    """One run to be made."""

    wanted: Wanted
    file: ScenarioFile
    keep: tuple[str, ...] = ()
    """The outcomes of runs whose artifacts are to be kept."""
    folder: str = ""
    """Where they are kept: absolute."""

    def as_json(self) -> str:
        """Of which `order_of_json` makes the same."""
        wanted = self.wanted
        return json.dumps({
            "scenario": wanted.scenario, "family": wanted.family, "trace": wanted.trace,
            "wire": wanted.wire, "sysctls": wanted.sysctls, "own": wanted.own,
            "expected": wanted.expected, "seed": wanted.seed, "over": wanted.over,
            "path": self.file.path, "digest": self.file.digest,
            "keep": self.keep, "folder": self.folder,
        })  # fmt: skip


def order_of_json(text: str | bytes) -> RunOrder:
    """The order that was written so."""
    read: dict[str, Any] = json.loads(text)

    def pairs(name: str) -> tuple[tuple[str, Any], ...]:
        return tuple((key, value) for key, value in read[name])

    wanted = Wanted(
        read["scenario"], read["family"], read["trace"], tuple(read["wire"]), pairs("sysctls"),
        pairs("own"), tuple(read["expected"]), read["seed"], pairs("over"),
    )  # fmt: skip
    file = ScenarioFile(read["path"], read["digest"])
    return RunOrder(wanted, file, tuple(read["keep"]), read["folder"])


def digest_of(path: Path) -> str:
    """What tells a file from another one. Raises UsageError."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
