"""Why MSG_ZEROCOPY copied after all. Source: Linux, Documentation/networking/msg_zerocopy.rst."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.sockets.socket_calls import reads_errors, sends_without_copy

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall

_COPIED, _ZEROCOPY_ORIGIN = 1, 5
_ORIGIN_AT, _CODE_AT, _ERROR_BYTES = 4, 6, 16
"""In a struct sock_extended_err: ee_origin, ee_code, and its length."""
_HEADER_BYTES = 16


def copied_sends(facts: StepFacts) -> Iterator[Cause]:
    """The notices that a send with MSG_ZEROCOPY was copied (SO_EE_CODE_ZEROCOPY_COPIED)."""
    for call in facts.timeline.system_calls:
        if not reads_errors(call) or not _says_copied(call):
            continue
        sends = [
            each
            for each in facts.evidence.calls.sends(call.socket)
            if sends_without_copy(each) and each.entry_ns < call.entry_ns
        ]
        if sends:
            yield Cause(
                "zerocopy-copied",
                f"{named(call)} brings the notice that what {named(sends[0])} sent with "
                "MSG_ZEROCOPY was copied all the same (SO_EE_CODE_ZEROCOPY_COPIED), as what a "
                "socket of the same machine takes is (a receiver's, a capture's), and what a "
                "device cannot gather.",
                call.program,
                known_ids(sends[0], call),
                "send(2), MSG_ZEROCOPY; Linux, msg_zerocopy.rst",
                Surprise.ELSEWHERE,
            )


def _says_copied(call: SystemCall) -> bool:
    """Whether a control message that it brought says so."""
    message = call.argument("msg")
    control = b"" if message is None or message.value is None else message.value
    error = control[_HEADER_BYTES : _HEADER_BYTES + _ERROR_BYTES]
    if len(error) <= _CODE_AT:
        return False
    return error[_ORIGIN_AT] == _ZEROCOPY_ORIGIN and bool(error[_CODE_AT] & _COPIED)
