"""Recordings of the format before this one, converted line by line.

Nothing else knows of it. Its lines had their "kind" where now they have "record", a few fields
and one scenario had other names, and each instrument was a sentence. A field that it left out,
or that is new, has a default in its class, which is what the codec takes for it.
"""

from __future__ import annotations

from lab.recording.codec import Object

SCHEMA = "wirelab.recording/1"

_RENAMED = {"task": {"event": "kind"}, "socket": {"look": "checkpoint"}}
"""By the line's kind: fields by their old name and their new one."""

_SCENARIOS = {"own": "ad-hoc"}
"""Scenarios by their old name and their new one."""


_Obtained = tuple[str | None, int]
_NOTHING: _Obtained = (None, 0)
_CLOSE: _Obtained = ("measured", 1_000)
_BY_TRACER: _Obtained = ("measured", 20_000)
_SAMPLED: _Obtained = ("sampled", 0)
_INSTRUMENTS: dict[str, dict[str, _Obtained]] = {
    "frames: ": {"frames": _CLOSE},
    "interfaces: ": {"interfaces": _SAMPLED},
    "words: ": {"transcript": _NOTHING},
    "calls: the programs' own output": {"transcript": _NOTHING},
    "privilege: ": {"privilege": _NOTHING},
    "calls: tracefs": {"calls": _CLOSE},
    "calls: ptrace": {"calls": _BY_TRACER},
    "calls: ": {"calls": _NOTHING},
    "states and drops: ": {"states": _CLOSE, "drops": _CLOSE},
    "states: sampled": {"states": ("sampled", 20_000)},
    "states: ": {"states": _NOTHING},
    "bytes at pointers: BPF": {"pointer arguments": ("measured", 0)},
    "bytes at pointers: ": {"pointer arguments": _NOTHING},
    "tracepoints absent: ": {"tracepoints": _NOTHING},
    "unix sockets: sock_diag": {"unix sockets": _SAMPLED},
    "unix sockets: ": {"unix sockets": _NOTHING},
    "listening sockets: ": {"listening sockets": _SAMPLED},
}
"""By the beginning of an instrument's sentence, the kinds of the instruments it stands for, each
with how it obtained what it did and its slack. The first that fits is the sentence's."""


def converted(line: Object) -> Object:
    """The line in the present format.

    What is damaged stays so; it is for who decodes the line to say so.
    """
    fields = dict(line)
    kind = fields.pop("kind", None)
    fields["record"] = kind
    if type(kind) is str and kind in _RENAMED:
        renamed = _RENAMED[kind]
        return {renamed.get(name, name): value for name, value in fields.items()}
    if kind == "run" and type(fields.get("scenario")) is str:
        fields["scenario"] = _SCENARIOS.get(fields["scenario"], fields["scenario"])
    if kind == "run" and type(fields.get("instruments")) is list:
        fields["instruments"] = [
            instrument
            for sentence in fields["instruments"]
            for instrument in _instruments(sentence)
        ]
    return fields


def _instruments(sentence: object) -> list[object]:
    """The instruments that the sentence stands for; the sentence itself if it is of none."""
    if type(sentence) is not str:
        return [sentence]
    kinds = next((k for start, k in _INSTRUMENTS.items() if sentence.startswith(start)), None)
    if kinds is None:
        return [sentence]
    text = sentence.removeprefix("tracepoints ")
    if text == sentence:
        text = sentence.partition(": ")[2]
    return [
        {"kind": kind, "obtained": obtained, "slack_ns": slack_ns, "text": text}
        for kind, (obtained, slack_ns) in kinds.items()
    ]
