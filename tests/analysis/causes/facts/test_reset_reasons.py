"""What the kernel itself says of a RST: it confirms a cause, forbids one, or is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import trace_edits as t
from causes_found import causes_of
from event_ids import event

from lab.records import KernelEvent, Recording, Syscall

RUN = "traced-reset4"
SENT = "tcp:tcp_send_reset"


def saying(reason: str, *, later_ns: int = 0, **fields: str) -> Callable[[Recording], Recording]:
    """The run with another reason of each RST's."""

    def changed(event: KernelEvent) -> KernelEvent:
        if event.name != SENT:
            return event
        known = event.fields | {"reason": reason} | fields
        return replace(event, fields=known, time_ns=event.time_ns + later_ns)

    return lambda run: replace(
        run, trace=replace(run.trace, events=tuple(map(changed, run.trace.events)))
    )


def reads_all(call: Syscall) -> Syscall:
    descriptor, buffer, _, *others = call.arguments
    return replace(call, result=25, memory=(), arguments=(descriptor, buffer, 25, *others))


def test_the_reason_stands_behind_the_cause_that_it_confirms() -> None:
    said = "The kernel's own reason: TCP_ABORT_ON_CLOSE."
    assert causes_of(RUN, "unread")["reset-unread"].text.endswith(said)


@pytest.mark.parametrize(
    "edit",
    [
        saying("NOT_SPECIFIED"),
        saying("TCP_ABORT_ON_CLOSE", later_ns=-6_000_000),
        saying("TCP_ABORT_ON_CLOSE", later_ns=10_000_000),
        saying("TCP_ABORT_ON_CLOSE", saddr="198.51.100.2 1"),
        saying("TCP_ABORT_ON_CLOSE", daddr="198.51.100.1 1"),
    ],
)
def test_of_a_reason_that_is_none_or_another_resets_nothing_is_said(
    edit: Callable[[Recording], Recording],
) -> None:
    assert "reason" not in causes_of(RUN, "unread", edit)["reset-unread"].text


@pytest.mark.parametrize(
    ("step", "reason"),
    [("unread", "NO_SOCKET"), ("linger", "NO_SOCKET"), ("nobody", "TCP_STATE")],
)
def test_a_cause_that_the_kernel_contradicts_is_none(step: str, reason: str) -> None:
    assert causes_of(RUN, step, saying(reason)) == {}


def test_without_a_socket_it_is_certain_that_nobody_listens() -> None:
    hidden = t.changed("refused", "connect", t.not_there)
    likely = causes_of(RUN, "nobody", hidden, saying("NOT_SPECIFIED"))["reset-nobody-listens"]
    certain = causes_of(RUN, "nobody", hidden, saying("NO_SOCKET"))["reset-nobody-listens"]
    assert certain.is_certain
    assert "NO_SOCKET" in certain.text
    assert "NO_SOCKET" not in likely.text


def test_a_reason_that_no_call_explains_is_the_cause() -> None:
    edits = t.changed("server", "recvfrom", reads_all), saying("TCP_ABORT_ON_LINGER")
    (cause,) = causes_of(RUN, "unread", *edits).values()
    assert cause.name == "reset-reason"
    assert cause.text.startswith(
        "The kernel of server gives TCP_ABORT_ON_LINGER as its reason for the RST (f8): TCP_LINGER2"
    )
    assert cause.evidence == tuple(map(event, ("f8", "client#4")))
    assert causes_of(RUN, "unread", edits[0], saying("TCP_STATE")) == {}
