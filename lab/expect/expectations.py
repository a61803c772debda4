"""Expectations as they are written: `result.tcp().no_reset()`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.expect.failure import ExpectationFailed, ExpectationUndecided
from lab.model.claim import Outcome, Verdict

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.expect.expectation import Expectation
    from lab.expect.frames import Among
    from lab.expect.patterns import AnyFrame
    from lab.expect.subject import Subject
    from lab.expect.tcp import Amount, WhichConnections
    from lab.ladder.model import Ladder


class Expectations:
    """What a run or a capture file can be expected to show.

    Each of these raises ExpectationFailed, an AssertionError, where it is not so, and
    ExpectationUndecided, which is one too, where what was seen does not decide it: the capture has
    gaps, calls were not traced, or nothing of the kind was there.
    """

    def subjects(self) -> tuple[Subject, ...]:
        """What is looked at: the steps of a run, or the file."""
        raise NotImplementedError

    def drawn(self) -> tuple[Sequence[Ladder], Sequence[Timeline], Sequence[str]]:
        """For a failure's text: ladders, timelines, and where to look further."""
        raise NotImplementedError

    def expect(self, expectation: Expectation) -> Verdict:
        """What becomes of any expectation. Raises as all do."""
        __tracebackhide__ = True
        self.expected.append(expectation)
        verdict = expectation.found(self.subjects())
        if verdict.outcome is Outcome.HOLDS:
            return verdict
        from lab.report.failure.failure import failure_text

        text = failure_text(expectation.sentence, verdict, *self.drawn())
        is_unclear = verdict.outcome is Outcome.UNDECIDED
        raise (ExpectationUndecided if is_unclear else ExpectationFailed)(
            text, expectation, verdict
        )

    @property
    def expected(self) -> list[Expectation]:
        """All that has been expected of it, met or not."""
        made: list[Expectation] = self.__dict__.setdefault("_expected", [])
        return made

    def tcp(
        self,
        port: int | None = None,
        *,
        client: str = "",
        server: str = "",
        client_port: int | None = None,
        nth: int | None = None,
    ) -> Connections:
        """The TCP connections, or those to a port, of these hosts, or the `nth` of them, from 1.

        `client_port` is the port of the side that opened them.
        """
        from lab.expect.tcp import WhichConnections

        return Connections(self, WhichConnections(client, server, port, client_port, nth))

    def frames(self, src: str = "", dst: str = "", on: str = "") -> Frames:
        """The frames that a host sent, that go to one, or that were seen on an interface."""
        from lab.expect.frames import Among

        return Frames(self, Among(src, dst, on))

    def calls(self, program: str = "") -> Calls:
        """The system calls of a program; without a name those of all."""
        return Calls(self, program)

    def connect(self, program: str = "") -> NamedCalls:
        """The connect(2) calls of a program; without a name those of all."""
        return Calls(self, program).named("connect")

    def program(self, name: str) -> ProgramOf:
        """A program by its name: "server", "client", or its host's."""
        return ProgramOf(self, name)

    def nothing_on(self, interface: str) -> None:
        """No frame on this interface of any host: "lo"; or of one: "client/lo"."""
        __tracebackhide__ = True
        self.frames(on=interface).none()

    def silent(self) -> None:
        """Not one frame on any link, proven by canary frames before and after. Never of a file."""
        from lab.expect.frames import silent

        __tracebackhide__ = True
        self.expect(silent())

    def no_clear_text(self, secret: bytes | str) -> None:
        """These bytes in no frame, and in no TCP stream across its segments."""
        from lab.expect.frames import no_clear_text

        __tracebackhide__ = True
        self.expect(no_clear_text(secret))

    def looks_like(self, snapshot: str) -> None:
        """The shape of what went over the wire is that of a snapshot's text (docs/expect.md)."""
        from lab.expect.snapshot import looks_like

        __tracebackhide__ = True
        self.expect(looks_like(snapshot))

    def no_reset(self) -> None:
        """No TCP connection is ended by a RST."""
        __tracebackhide__ = True
        self.tcp().no_reset()

    def retransmissions(self, at_most: int) -> None:
        """So many in each TCP connection at most."""
        __tracebackhide__ = True
        self.tcp().retransmissions(at_most)


class Connections:
    """TCP connections; what is expected is expected of each, and there must be one."""

    def __init__(self, of: Expectations, which: WhichConnections) -> None:
        self._of = of
        self._which = which

    def handshake(self) -> Connections:
        """It opens with SYN, SYN-ACK and ACK. Source: RFC 9293, 3.5."""
        from lab.expect.tcp import handshake

        __tracebackhide__ = True
        self._of.expect(handshake(self._which))
        return self

    def no_reset(self) -> Connections:
        """No RST ends it, as one after both FINs were acknowledged does not.

        Source: RFC 9293, 3.5.2 and 3.10.7.1.
        """
        from lab.expect.tcp import no_reset

        __tracebackhide__ = True
        self._of.expect(no_reset(self._which))
        return self

    def closes_with_fin(self, by: str = "") -> Connections:
        """A FIN each way, acknowledged, the first from `by`: "client", "server" or a host.

        Source: RFC 9293, 3.6.
        """
        from lab.expect.tcp import closes_with_fin

        __tracebackhide__ = True
        self._of.expect(closes_with_fin(self._which, by))
        return self

    def round_trips(self, at_most: int) -> Connections:
        """The handshake is one, and each time the client then waits for an answer is one more."""
        from lab.expect.tcp import round_trips

        __tracebackhide__ = True
        self._of.expect(round_trips(self._which, at_most))
        return self

    def bytes(self, client: Amount | None = None, server: Amount | None = None) -> Connections:
        """How many bytes each side sends, or which; at_least(1), contains("text") as well."""
        from lab.expect.tcp import transfers

        __tracebackhide__ = True
        self._of.expect(transfers(self._which, client, server))
        return self

    def retransmissions(self, at_most: int) -> Connections:
        """Segments that carry what was sent before."""
        from lab.expect.tcp import retransmissions

        __tracebackhide__ = True
        self._of.expect(retransmissions(self._which, at_most))
        return self

    def segments(self, *patterns: AnyFrame, pure_acks: bool = False) -> Connections:
        """Just these segments in this order; those that only acknowledge count with `pure_acks`."""
        from lab.expect.tcp import segments

        __tracebackhide__ = True
        self._of.expect(segments(self._which, patterns, pure_acks=pure_acks))
        return self


class Frames:
    """Frames of a run or a file, or some of them."""

    def __init__(self, of: Expectations, among: Among) -> None:
        self._of = of
        self._among = among

    def expect(
        self, *patterns: AnyFrame, in_any_order: bool = False, none_else: bool = False
    ) -> Frames:
        """A frame for each pattern, one after another; others may be between, unless `none_else`.

        Fields that a pattern does not name may be anything.
        """
        from lab.expect.frames import are_there

        __tracebackhide__ = True
        self._of.expect(are_there(self._among, patterns, in_any=in_any_order, none_else=none_else))
        return self

    def none(self) -> Frames:
        """Not one."""
        return self.number(0)

    def number(self, exactly: int) -> Frames:
        """Just so many."""
        from lab.expect.frames import are_counted

        __tracebackhide__ = True
        self._of.expect(are_counted(self._among, exactly, exactly))
        return self


class Calls:
    """System calls on sockets, pipes and what waits for them, of a program or of all."""

    def __init__(self, of: Expectations, program: str) -> None:
        self._of = of
        self._program = program

    def never(self, call: str) -> Calls:
        """It never makes this call: "shutdown"."""
        from lab.expect.calls import never_calls

        __tracebackhide__ = True
        self._of.expect(never_calls(self._program, call))
        return self

    def named(self, call: str) -> NamedCalls:
        """Its calls of this name, as section 2 of the manual has it."""
        return NamedCalls(self._of, self._program, call)


class NamedCalls:
    """A program's system calls of one name."""

    def __init__(self, of: Expectations, program: str, call: str) -> None:
        self._of = of
        self._program = program
        self._call = call

    def made(self, times: int | None = None) -> NamedCalls:
        """It is called, or just so often."""
        from lab.expect.calls import makes_call

        __tracebackhide__ = True
        self._of.expect(makes_call(self._program, self._call, times))
        return self

    def returns_within(self, ms: float) -> NamedCalls:
        """Each returns in that time, tracing included."""
        from lab.expect.calls import returns_within

        __tracebackhide__ = True
        self._of.expect(returns_within(self._program, self._call, ms))
        return self


class ProgramOf:
    """A program of a run."""

    def __init__(self, of: Expectations, name: str) -> None:
        self._of = of
        self._name = name

    def exits(self, status: int = 0) -> ProgramOf:
        """It ends with this exit status; -15 is signal 15."""
        from lab.expect.calls import exits

        __tracebackhide__ = True
        self._of.expect(exits(self._name, status))
        return self

    def prints(self, text: str) -> ProgramOf:
        """Its standard output has this text."""
        from lab.expect.calls import prints

        __tracebackhide__ = True
        self._of.expect(prints(self._name, text))
        return self
