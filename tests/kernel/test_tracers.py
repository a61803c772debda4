from __future__ import annotations

import pytest
import traced_programs

from lab.errors import MachineError
from lab.kernel import tracers
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.tracers import open_tracer


def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No instrument can be used, each for a reason of its own."""
    openers = {
        name: lambda reason=reason: (None, reason)
        for name, reason in (("bpf", "not root"), ("ptrace", "no seccomp"))
    }
    monkeypatch.setattr(tracers, "_OPENERS", openers)


def test_none_is_none() -> None:
    tracer, why = open_tracer("none")
    assert tracer is None
    assert "not traced, as asked" in str(why)


def test_where_none_can_be_used_each_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch)
    tracer, why = open_tracer("auto")
    assert tracer is None
    assert "bpf: not root; ptrace: no seccomp" in str(why)


def test_one_that_was_asked_for_and_cannot_be_used_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusing(monkeypatch)
    with pytest.raises(MachineError) as error:
        open_tracer("ptrace")
    message = "cannot trace with ptrace: no seccomp; --trace auto takes another"
    assert str(error.value) == message


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_ptrace")
def test_the_named_one_is_opened_and_auto_takes_the_best(sandbox: Sandbox) -> None:
    assert sandbox.call(traced_programs.name_of_tracer, "ptrace") == "PtraceTracer"
    best = "PtraceTracer" if sandbox.call(traced_programs.why_not) else "BpfTracer"
    assert sandbox.call(traced_programs.name_of_tracer, "auto") == best
