"""Addresses that calls name."""

from __future__ import annotations

import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.causes.calls.why import ip_address_of, unix_name_of


def bind_of(name: str) -> SystemCall:
    (timeline, *_) = build_timelines(s.recording_of(name))
    return next(each for each in timeline.system_calls if each.name == "bind")


def test_a_call_names_an_ip_address_or_a_unix_socket() -> None:
    internet, unix = bind_of("traced-tcp4"), bind_of("traced-unix4")
    assert str(ip_address_of(internet)).endswith(":4242")
    assert unix_name_of(internet) is None
    assert str(unix_name_of(unix)) == "/run/wirelab/conversation"
    assert ip_address_of(unix) is None
