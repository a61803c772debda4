"""Recordings of the format before this one, converted line by line.

Nothing else knows of it. Its lines had their "kind" where now they have "record", and a few
fields and one scenario had other names.
"""

from __future__ import annotations

from lab.recording.codec import Object

SCHEMA = "wirelab.recording/1"

_RENAMED = {"task": {"event": "kind"}, "socket": {"look": "checkpoint"}}
"""By the line's kind: fields by their old name and their new one."""

_ABSENT = {"program": {"failure": "", "remark": ""}, "run": {"source": ""}}
"""By the line's kind: fields that were left out where they had this value, or are new."""

_SCENARIOS = {"own": "ad-hoc"}
"""Scenarios by their old name and their new one."""


def converted(line: Object) -> Object:
    """The line as it is now.

    What is damaged stays so; it is for who decodes the line to say so.
    """
    fields = dict(line)
    kind = fields.pop("kind", None)
    renamed = _RENAMED.get(kind, {}) if type(kind) is str else {}
    absent = _ABSENT.get(kind, {}) if type(kind) is str else {}
    if kind == "run" and type(fields.get("scenario")) is str:
        fields["scenario"] = _SCENARIOS.get(fields["scenario"], fields["scenario"])
    return {"record": kind} | absent | {renamed.get(name, name): fields[name] for name in fields}
