"""All runs of a sweep: scenarios × values × repetitions, one after another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from math import prod

from lab.frozen import frozen
from lab.sweep.parameter import FAMILY, NO_RULE, OF_LINKS, TRACE, Kind, Parameter, ParameterValue

LinksOf = Callable[[str, Mapping[str, ParameterValue]], Sequence[str]]
"""By a scenario's name and its own parameters: its links, each as a rule names it both ways."""

_KEY_LETTERS = 16
_SEEDS_APART = 1_000_003
"""Between the seeds of two rules of a run, so that they draw different lots."""
_SEEDS = 1 << 32


@frozen
class Wanted:
    """One run of a sweep: all that decides what is run."""

    scenario: str
    """Its name in the sweep."""
    family: int
    trace: str
    wire: tuple[str, ...]
    """Rules of the wire, behind those of the scenario's steps."""
    sysctls: tuple[tuple[str, str], ...]
    own: tuple[tuple[str, ParameterValue], ...]
    """Values of the scenario's own parameters."""
    expected: tuple[str, ...]
    """What is expected besides the claims, in the words of docs/expect.md."""
    seed: int
    """Which repetition it is, from 1; what is drawn by lot on links is drawn by it."""
    over: tuple[tuple[str, ParameterValue], ...]
    """By name, the values that the sweep's parameters have in it."""

    @property
    def key(self) -> str:
        """What it is known by: the same for the same run, in any sweep and on any machine."""
        what = (
            self.scenario, self.family, self.trace, self.wire, self.sysctls, self.own,
            self.expected, self.seed,
        )  # fmt: skip
        text = json.dumps(what, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:_KEY_LETTERS]


@frozen
class Grid:
    """A sweep: every scenario under every combination of values, so many times."""

    scenarios: tuple[str, ...]
    """Their names, each once."""
    parameters: tuple[Parameter, ...]
    repeat: int
    family: int = 4
    """Where no parameter says it."""
    trace: str = "auto"
    """The same."""
    wire: tuple[str, ...] = ()
    """Rules of the wire in every run."""
    sysctls: tuple[tuple[str, str], ...] = ()
    """The same of settings."""
    expected: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many runs there are."""
        return len(self.scenarios) * prod(len(p.values) for p in self.parameters) * self.repeat

    def combinations(self) -> Iterator[tuple[str, dict[str, ParameterValue]]]:
        """Each scenario with each combination of values, by the parameters' names."""
        names = [parameter.name for parameter in self.parameters]
        for scenario in self.scenarios:
            for values in product(*(parameter.values for parameter in self.parameters)):
                yield scenario, dict(zip(names, values, strict=True))

    def runs(self, links_of: LinksOf) -> Iterator[Wanted]:
        """Every run.

        All combinations once, then all again: what changes on the machine meanwhile falls on all of
        them alike, and a sweep that is ended early has some of each.
        """
        for seed in range(1, self.repeat + 1):
            for scenario, values in self.combinations():
                yield self.wanted(scenario, values, seed, links_of)

    def own_of(self, values: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
        """Those of the values that are of the scenario's own parameters."""
        return {p.name: values[p.name] for p in self.parameters if p.kind is Kind.OWN}

    def wanted(
        self, scenario: str, values: Mapping[str, ParameterValue], seed: int, links_of: LinksOf
    ) -> Wanted:
        """The run of that scenario with these values."""
        own = self.own_of(values)
        kinds = {parameter.name: parameter for parameter in self.parameters}
        sysctls = dict(self.sysctls)
        rules: list[str] = []
        for name, value in values.items():
            parameter = kinds[name]
            if parameter.kind is Kind.SYSCTL:
                sysctls[parameter.sysctl] = str(value)
            elif parameter.kind is Kind.RULE and value != NO_RULE:
                rules.append(str(value))
        rules += self._of_links(values, seed, links_of(scenario, own))
        return Wanted(
            scenario,
            int(values.get(FAMILY, self.family)),
            str(values.get(TRACE, self.trace)),
            (*self.wire, *rules),
            tuple(sorted(sysctls.items())),
            tuple(sorted(own.items())),
            self.expected,
            seed,
            tuple(values.items()),
        )

    def _of_links(
        self, values: Mapping[str, ParameterValue], seed: int, links: Sequence[str]
    ) -> Iterator[str]:
        """The rules that parameters of links stand for."""
        by_way: dict[str, dict[str, ParameterValue]] = {}
        for parameter in self.parameters:
            if parameter.kind is Kind.LINK:
                of_way = by_way.setdefault(parameter.way, {})
                of_way[parameter.of_link] = values[parameter.name]
        place = 0
        for way, of_way in by_way.items():
            for link in [way] if way else links:
                lots = [(seed + (place + each) * _SEEDS_APART) % _SEEDS for each in (0, 1)]
                for action in _actions(of_way, *lots):
                    yield f"{link} {action}"
                place += 2


def _actions(of_way: Mapping[str, ParameterValue], of_loss: int, of_jitter: int) -> Iterator[str]:
    """What these parameters do on one way, in the words of docs/wire.md, with two seeds.

    A value of 0 is a rule as well: what passes through the lab with it, does so without.
    """
    rate, queue, delay, jitter, loss = (of_way.get(name) for name in OF_LINKS)
    if rate is not None:
        yield f"rate {rate}" + ("" if queue is None else f" queue {queue}")
    if delay is not None:
        yield f"delay {delay}" + ("" if jitter is None else f" jitter {jitter} seed {of_jitter}")
    elif jitter is not None:
        yield f"jitter {jitter} seed {of_jitter}"
    if loss is not None:
        yield f"loss {loss}% seed {of_loss}"
