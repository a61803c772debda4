"""Which tracing instrument a run gets."""

from __future__ import annotations

from collections.abc import Callable

from lab.errors import MachineError
from lab.kernel.trace.tracer import Tracer

AUTO, NONE = "auto", "none"


def open_tracer(choice: str, *, is_live: bool = False) -> tuple[Tracer | None, str]:
    """The instrument of that name, or for "auto" the best that this process can use.

    None for "none", or if "auto" finds none; then the second value says why. If it `is_live`,
    "auto" prefers one that tells of calls while they are made. Raises MachineError if the named one
    cannot be used.
    """
    if choice == NONE:
        return None, "not traced, as asked"
    reasons: list[str] = []
    openers = reversed(_OPENERS.items()) if is_live else _OPENERS.items()
    for name, open_one in openers:
        if choice not in (AUTO, name):
            continue
        tracer, reason = open_one()
        if tracer is not None:
            if is_live:
                tracer.go_live()
            return tracer, ""
        reasons.append(f"{name}: {reason}")
    if choice != AUTO:
        raise MachineError(f"cannot trace with {'; '.join(reasons)}; --trace auto takes another")
    return None, f"not traced ({'; '.join(reasons)})"


def why_no_tracer(name: str) -> str:
    """Why this process cannot trace with "bpf" or "ptrace"; "" if it can."""
    if name == "bpf":
        from lab.kernel.trace.collecting.tracer import BpfTracer

        return BpfTracer.why_not()
    from lab.kernel.trace.ptrace.tracer import PtraceTracer

    return PtraceTracer.why_not()


def _open_bpf() -> tuple[Tracer | None, str]:
    # Imported here: a run's start must not wait for the import of the one it does not use.
    from lab.kernel.trace.collecting.tracer import BpfTracer

    reason = BpfTracer.why_not()
    return (None, reason) if reason else (BpfTracer(), "")


def _open_ptrace() -> tuple[Tracer | None, str]:
    from lab.kernel.trace.collecting.start import end_started
    from lab.kernel.trace.ptrace.tracer import PtraceTracer

    end_started()

    reason = PtraceTracer.why_not()
    return (None, reason) if reason else (PtraceTracer(), "")


_OPENERS: dict[str, Callable[[], tuple[Tracer | None, str]]] = {
    "bpf": _open_bpf,
    "ptrace": _open_ptrace,
}
