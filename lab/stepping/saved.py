"""What was decided in a stepped run, as rules that do the same in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.analysis.timeline import Timeline
from lab.wire.grammar import parse_rule
from lab.wire.held import Decided, saved
from lab.wire.rule import Hold, Term


def saved_rules(timeline: Timeline) -> tuple[str, ...]:
    """The rules of a step's decisions, in the order in which they have to stand (docs/step.md)."""
    links: dict[str, list[Decided]] = {}
    for link, decided in _decisions(timeline):
        links.setdefault(link, []).append(decided)
    return tuple(text for decided in links.values() for text in saved(decided))


def left_out(timeline: Timeline) -> int:
    """How many decisions are not among those rules, since their frames would not come again."""
    return sum(decided.is_resent for _, decided in _decisions(timeline))


def rules_file(timelines: Sequence[Timeline]) -> str:
    """A file for `--wire @FILE`: the rules of all steps, a line each, and what is to be known."""
    lines = ["# Rules of a wire, from a run that was stepped by hand: --wire @FILE"]
    for timeline in timelines:
        if len(timelines) > 1:
            lines.append(f"# step {timeline.step}; a rule is for every step: keep those of one")
        lines += saved_rules(timeline)
        if count := left_out(timeline):
            lines.append(f"# left out: {count} of frames that were resent since they had waited")
    return "\n".join(lines) + "\n"


def _decisions(timeline: Timeline) -> Iterator[tuple[str, Decided]]:
    """The step's decisions, with their links: the rules behind those that had frames wait."""
    rules = timeline.recording.wire_rules
    holds = [
        place
        for place, rule in enumerate(rules)
        if rule.step == timeline.step and rule.action == Hold.name
    ]
    for struck in timeline.struck:
        place = struck.strike.rule
        if not holds or place <= max(holds) or struck.frame is None:
            continue
        is_resent = any(
            each.term is Term.RETRANSMISSION for each in parse_rule(struck.rule.text).conditions
        )
        yield struck.rule.link, Decided(place, struck.rule.text, struck.frame.number, is_resent)
