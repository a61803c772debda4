"""The wires of a run, seen from its init: made, given their rules, asked what they did."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from lab.errors import KernelRefused
from lab.kernel.capture.packet_socket import make_rings, packet_socket, refusal
from lab.kernel.links.carrier import (
    AddRule,
    AskHeld,
    AskRules,
    BeginRules,
    Carrier,
    EndRules,
    Port,
    RulesAtWork,
    StopRules,
    WiredLink,
)
from lab.kernel.links.expressions import compiled
from lab.kernel.links.frame_ring import ring_for
from lab.kernel.links.holding import HoldFrames
from lab.kernel.links.splice import Splice
from lab.kernel.network.namespace import Namespace
from lab.kernel.system.descriptors import leave_descriptors_but
from lab.kernel.system.message_socket import MessageSocket
from lab.model.program import Step
from lab.model.topology import Interface, Link, Topology
from lab.records import WireRule, WireStrike
from lab.wire.binding import bound
from lab.wire.grammar import parse_rule
from lab.wire.matching import Expression
from lab.wire.rule import Hold, Rule
from lab.wire.wire import expressions_in

ALL_RINGS_BYTES = 1 << 26
RINGS_OF_A_LINK = 2
_NOTICES = 1 << 16


class Wires:
    """The process that carries the frames of all links with a wire."""

    def __init__(
        self,
        namespace: Namespace,
        splices: Sequence[Splice],
        steps: Sequence[Step],
        topology: Topology,
        *,
        more_may_come: bool = False,
        holds_neighbours: bool | None = None,
    ) -> None:
        """Fork it. `topology` has the links as they were before they were taken apart.

        If more rules may come, what passes is remembered for them. Unless `holds_neighbours` is
        None every frame waits for a decision (ask_gates), or all but ARP and its like.
        Raises KernelRefused, MachineError, UsageError.
        """
        self._more_may_come = more_may_come
        self._hold = (
            None if holds_neighbours is None else HoldFrames(_ways(splices), holds_neighbours)
        )
        self.rules: list[WireRule] = []
        self.strikes: list[WireStrike] = []
        self.lost = 0
        """Frames that the process itself has lost."""
        self._links = [splice.link for splice in splices]
        self._begun: list[tuple[int, int, str, str]] = []
        """Of the step's rules each one's link, its place among that link's, its action and text."""
        self._topology = topology
        rules = [parse_rule(text) for step in steps for text in step.wire]
        expressions = {text: compiled(text) for text in expressions_in(rules)}
        ours, theirs = socket.socketpair()
        self._notice, giving = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self.pid = os.fork()
        except OSError as error:
            os.close(giving)
            raise KernelRefused(f"cannot fork a wire: {error.strerror}") from error
        if self.pid == 0:
            _be_carrier(namespace, splices, expressions, theirs, giving)
        theirs.close()
        os.close(giving)
        self._messages = MessageSocket(ours)

    def wait_until_ready(self) -> None:
        """Wait until frames pass. Raises KernelRefused."""
        failure = self._messages.receive()
        if failure:
            raise KernelRefused(failure)

    def begin(self, step: Step) -> None:
        """From now on the step's rules hold. Raises PeerGone where the process has been killed."""
        of_link: list[list[tuple[Rule, frozenset[int]]]] = [[] for _ in self._links]
        self._begun = []
        found = bound(step.wire, self._topology.link_ends)
        for text, (number, rule, sides) in zip(step.wire, found, strict=True):
            place = self._links.index(self._topology.links[number])
            self._begun.append((place, len(of_link[place]), rule.action.name, text))
            of_link[place].append((rule, sides))
        if self._hold is not None:
            for place, (way, _) in enumerate(self._hold.ways):
                text = f"{way.replace('>', '-')} {Hold.name}"
                self._begun.append((place, len(of_link[place]), Hold.name, text))
        self._messages.send(BeginRules(tuple(map(tuple, of_link)), self._more_may_come, self._hold))
        self._messages.receive()

    def holds(self) -> bool:
        """Whether frames are held back that have a time to go on. Raises PeerGone."""
        self._messages.send(AskHeld())
        return bool(self._messages.receive())

    def add(self, text: str) -> None:
        """One more rule, which holds from now on. Raises PointedError, MachineError, PeerGone.

        UsageError for a wrong BPF expression.
        """
        ((number, rule, sides),) = bound((text,), self._topology.link_ends)
        place = self._links.index(self._topology.links[number])
        self._messages.send(AddRule(place, rule, sides))
        refusal = self._messages.receive()
        if refusal is not None:
            raise refusal
        self._begun.append((place, self._count(place), rule.action.name, text))

    def stop(self, way: str) -> int:
        """The rules of that link end that are about no other way; how many.

        `way` is as in a rule. Raises PointedError, PeerGone.
        """
        ((number, _, sides),) = bound((f"{way} drop",), self._topology.link_ends)
        place = self._links.index(self._topology.links[number])
        self._messages.send(StopRules(place, sides))
        return int(self._messages.receive())

    def so_far(self, step: Step) -> tuple[tuple[WireRule, ...], tuple[WireStrike, ...]]:
        """The rules of the step that is under way, and what they have done. Raises PeerGone."""
        return self._collected(step, self._ask_rules())

    def in_force(self) -> tuple[tuple[str, int], ...]:
        """The rules that hold, with how many frames each was about. Raises PeerGone."""
        work = self._ask_rules()
        return tuple(
            (text, work.matched[link][place])
            for link, place, _, text in self._begun
            if place in work.in_force[link]
        )

    @property
    def notice(self) -> int:
        """A descriptor, readable once something has happened at the gates."""
        return self._notice

    @property
    def links(self) -> tuple[Link, ...]:
        """The links, in the order in which the gates have them."""
        return tuple(self._links)

    def ask_gates(self, request: object) -> Any:  # noqa: ANN401  by the request
        """The answer to one of HoldingRequest. Raises PeerGone."""
        with suppress(BlockingIOError):
            os.read(self._notice, _NOTICES)
        self._messages.send(request)
        return self._messages.receive()

    def end(self, step: Step) -> None:
        """What is held back goes on, no rule holds any more; what they did is noted.

        Raises PeerGone.
        """
        self._messages.send(EndRules())
        outcome: RulesAtWork = self._messages.receive()
        self.lost = outcome.lost
        rules, strikes = self._collected(step, outcome)
        self.rules += rules
        self.strikes += strikes

    def _ask_rules(self) -> RulesAtWork:
        self._messages.send(AskRules())
        work: RulesAtWork = self._messages.receive()
        return work

    def _count(self, link: int) -> int:
        """How many rules that link has had in this step."""
        return sum(each == link for each, _, _, _ in self._begun)

    def _collected(
        self, step: Step, work: RulesAtWork
    ) -> tuple[tuple[WireRule, ...], tuple[WireStrike, ...]]:
        """The records of the step's rules, and of their strikes in order of time."""
        rules: list[WireRule] = []
        numbers: dict[tuple[int, int], int] = {}
        for link, place, action, text in self._begun:
            numbers[link, place] = len(self.rules) + len(rules)
            matched = work.matched[link][place]
            done = sum(strike.rule == place for strike in work.strikes[link])
            name = self._links[link].name
            rules.append(WireRule(step.name, text, action, name, matched, done))
        for link, decided in enumerate(work.decided):
            for each in decided:
                numbers[link, each.place] = len(self.rules) + len(rules)
                done = sum(strike.rule == each.place for strike in work.strikes[link])
                action = parse_rule(each.text).action.name
                name = self._links[link].name
                rules.append(WireRule(step.name, each.text, action, name, 1, done))
        struck: list[WireStrike] = []
        for number, strikes in enumerate(work.strikes):
            ends = self._links[number].ends
            for strike in strikes:
                struck.append(
                    WireStrike(
                        time_ns=strike.time_ns,
                        rule=numbers[number, strike.rule],
                        point=_point(ends[strike.side]),
                        checksum=strike.checksum,
                        occurrence=strike.occurrence,
                        copy=strike.copy,
                        is_end=strike.is_end,
                        copies=strike.copies,
                        delay_ns=strike.delay_ns,
                        changed=strike.changed,
                        step=step.name,
                    )
                )
        return tuple(rules), tuple(sorted(struck, key=lambda strike: strike.time_ns))

    def close(self) -> None:
        """End the process."""
        self._messages.close()
        os.close(self._notice)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _be_carrier(
    namespace: Namespace,
    splices: Sequence[Splice],
    expressions: Mapping[str, Expression],
    theirs: socket.socket,
    notice: int,
) -> NoReturn:
    """What the forked process does until it ends."""
    try:
        leave_descriptors_but({theirs.fileno(), namespace.descriptor, notice})
        messages = MessageSocket(theirs)
        try:
            wired = _open(namespace, splices)
        except KernelRefused as error:
            messages.send(str(error))
        else:
            carrier = Carrier(wired, messages, expressions, notice)
            messages.send("")
            carrier.run()
    finally:
        os._exit(0)


def _open(namespace: Namespace, splices: Sequence[Splice]) -> list[WiredLink]:
    """The rings and senders of all links' halves. Raises KernelRefused."""
    wired: list[WiredLink] = []
    share = ALL_RINGS_BYTES // (RINGS_OF_A_LINK * len(splices))
    for splice in splices:
        ports = [
            Port(
                ring_for(packet_socket(namespace), end.name, splice.link.mtu_bytes, share),
                packet_socket(namespace),
            )
            for end in (splice.near, splice.far)
        ]
        wired.append(WiredLink(*ports))
    make_rings(port.ring for link in wired for port in link)
    for splice, link in zip(splices, wired, strict=True):
        for end, port in zip((splice.near, splice.far), link, strict=True):
            port.ring.leave_out_outgoing()
            port.ring.bind(end.name)
            try:
                port.sender.bind((end.name, 0))
            except OSError as error:
                what = f"cannot send on the wire of {splice.link.name}"
                raise KernelRefused(refusal(what, error)) from error
    return wired


def _ways(splices: Sequence[Splice]) -> tuple[tuple[str, str], ...]:
    """How a rule names both ways of each link: by its hosts, where no other link joins them."""
    pairs = [frozenset(end.host for end in splice.link.ends) for splice in splices]
    named = []
    for splice, pair in zip(splices, pairs, strict=True):
        is_only = pairs.count(pair) == 1
        one, other = (end.host if is_only else _point(end) for end in splice.link.ends)
        named.append((f"{one}>{other}", f"{other}>{one}"))
    return tuple(named)


def _point(end: Interface) -> str:
    return f"{end.host}/{end.name}"
