from __future__ import annotations

import pytest

from lab.recording.codec import RecordError, decode_record, encode_record
from lab.records import CellRun, Enforcer, Limit, LimitKept


def test_what_held_a_program_is_kept_in_a_recording() -> None:
    kept = (LimitKept(Limit.CPU, Enforcer.LAB), LimitKept(Limit.DISK, Enforcer.TMPFS))
    for run in (CellRun(1 << 30, kept, Limit.CPU), CellRun(1000, (), None)):
        assert decode_record(CellRun, encode_record(run)) == run


def test_a_limit_that_there_is_not_is_no_record() -> None:
    with pytest.raises(RecordError, match="ended_by"):
        decode_record(CellRun, {"uid": 1, "kept": [], "ended_by": "patience"})
