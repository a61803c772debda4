"""When a host's interface was set down, and up again."""

from __future__ import annotations

from dataclasses import replace

from failed_call import TCP
from links_set import DOWN_NS, UP_NS, setting

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.links import downs
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.records import Recording


def facts(run: Recording) -> StepFacts:
    (timeline,) = build_timelines(run)
    return StepFacts(timeline)


def test_it_is_down_from_one_call_to_the_other() -> None:
    run = facts(setting(setting(TCP, 0, DOWN_NS), 1, UP_NS))
    (down,) = downs(run.timeline, "client")
    assert down.name == "eth0"
    assert down.down.entry_ns == DOWN_NS
    assert down.up is not None
    assert down.up.entry_ns == UP_NS
    assert run.link_down_at("client", DOWN_NS) is None
    assert run.link_down_at("client", DOWN_NS + 50) == down
    assert run.link_down_at("client", UP_NS) is None
    assert run.link_down_at("server", DOWN_NS + 50) is None


def test_without_an_end_it_stays_down() -> None:
    (down,) = downs(facts(setting(TCP, 0, DOWN_NS)).timeline, "client")
    assert down.up is None


def test_setting_up_what_is_up_changes_nothing() -> None:
    assert list(downs(facts(setting(TCP, 1, DOWN_NS)).timeline, "client")) == []


def test_of_several_interfaces_it_is_not_known_which() -> None:
    run = setting(TCP, 0, DOWN_NS)
    (own,) = (e for e in run.interfaces if (e.host, e.name) == ("client", "eth0"))
    two = replace(run, interfaces=(*run.interfaces, replace(own, name="eth1")))
    assert list(downs(facts(two).timeline, "client")) == []
