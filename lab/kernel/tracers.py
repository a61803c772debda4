"""Which tracing instrument a run gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lab.errors import KernelRefused, LabError, MachineError
from lab.kernel.trace.tracer import Host, Tracer
from lab.records import Instrument, InstrumentKind

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
        raise MachineError(_cannot("; ".join(reasons)))
    return None, f"not traced ({'; '.join(reasons)})"


class Tracing:
    """The tracing instrument of a run, chosen at its start, and once more when it is to be ready.

    Whether the kernel takes all BPF programs is known only when they are loaded, which is done
    while the topology is built: no run waits for it before.
    """

    def __init__(self, choice: str, *, is_live: bool = False) -> None:
        """Choose it, as `open_tracer` does. Raises MachineError."""
        self._choice = choice
        self.tracer, self._why_none = open_tracer(choice, is_live=is_live)
        self._refused: tuple[Instrument, ...] = ()

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What it is, or why there is none, for the report."""
        if self.tracer is None:
            return (Instrument(InstrumentKind.CALLS, None, 0, self._why_none),)
        return (*self.tracer.instruments, *self._refused)

    def make_ready(self, hosts: Mapping[int, Host]) -> None:
        """Wait for it. For "auto" ptrace takes the place of one that is refused now.

        `hosts` are as `Tracer.watch` has them. Raises MachineError and InstrumentError.
        """
        if self.tracer is None:
            return
        self.tracer.watch(hosts)
        try:
            self.tracer.make_ready()
        except KernelRefused as error:
            self.tracer.close()
            if self._choice != AUTO:
                raise MachineError(_cannot(f"{self._choice}: {error}")) from error
            self._take_ptrace(hosts, str(error))

    def _take_ptrace(self, hosts: Mapping[int, Host], refusal: str) -> None:
        self.tracer, reason = _open_ptrace()
        self._why_none = f"not traced (bpf: {refusal}; ptrace: {reason})"
        if self.tracer is not None:
            text = f"not used (bpf: {refusal})"
            self._refused = (Instrument(InstrumentKind.TRACEPOINTS, None, 0, text),)
            self.tracer.watch(hosts)

    def close(self) -> None:
        """End its processes and free what it holds."""
        if self.tracer is not None:
            self.tracer.close()


def _cannot(reasons: str) -> str:
    return f"cannot trace with {reasons}; --trace auto takes another"


def why_no_tracer(name: str) -> str:
    """Why this process cannot trace with "bpf" or "ptrace"; "" if it can."""
    if name == "bpf":
        tracer, reason = _open_bpf()
        if tracer is None:
            return reason
        try:
            tracer.make_ready()
        except LabError as error:
            return str(error)
        finally:
            tracer.close()
        return ""
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
