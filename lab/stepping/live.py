"""A run under way, as far as it is reported, and the moment that is shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lab.errors import printable
from lab.frozen import frozen
from lab.records import LinkNow, ProgramNow, SocketNow, Syscall
from lab.stepping.call_text import decoded, shown, waits_for
from lab.stepping.frame_text import RelativeNumbers, frame_text, kind_of, payload_text
from lab.stepping.scene import FrameShown, HostShown, ProgramShown, SocketShown, StepScene
from lab.syscalls.table import CALLS
from lab.wire.held import Decided, HeldFrame, Passed

MOST_PAST = 200
MOST_CALLS = 200
"""Of all programs: the last ones."""


@frozen
class Live:
    """What is known of it."""

    name: str = ""
    """What is run."""
    machine: str = ""
    """As `uname -m` says it."""
    step: str = ""
    time_ns: int = 0
    left_s: float = 0.0
    links: tuple[LinkNow, ...] = ()
    waiting: tuple[tuple[HeldFrame, ...], ...] = ()
    """By link."""
    more: int = 0
    passed: tuple[tuple[int, Passed], ...] = ()
    """With the places of their links."""
    decided: tuple[Decided, ...] = ()
    is_passing: bool = False
    programs: tuple[ProgramNow, ...] = ()
    sockets: tuple[SocketNow, ...] = ()
    calls: tuple[Syscall, ...] = ()
    lost_calls: int = 0

    @property
    def frames(self) -> tuple[HeldFrame, ...]:
        """Those that wait or can be recalled, in the order in which they came."""
        every = (each for link in self.waiting for each in link)
        return tuple(sorted(every, key=lambda each: each.number))

    @property
    def last(self) -> int:
        """The number of the frame that came last, of those that were reported."""
        numbers = [each.number for each in self.frames] + [p.number for _, p in self.passed]
        return max(numbers, default=0)

    def in_step(self, step: str, links: tuple[LinkNow, ...]) -> Live:
        """The same; of another step the frames, calls and decisions begin anew."""
        if step == self.step:
            return self
        return replace(self, step=step, links=links, waiting=(), passed=(), decided=(), calls=())

    def with_gates(
        self,
        waiting: Sequence[tuple[HeldFrame, ...]],
        more: int,
        passed: Sequence[Sequence[Passed]],
        decided: Sequence[Sequence[Decided]],
        *,
        is_passing: bool,
    ) -> Live:
        """The same with what the gates have reported."""
        new = [(link, each) for link, every in enumerate(passed) for each in every]
        past = sorted((*self.passed, *new), key=lambda each: each[1].time_ns)[-MOST_PAST:]
        return replace(
            self,
            waiting=tuple(waiting),
            more=more,
            passed=tuple(past),
            decided=tuple(each for link in decided for each in link),
            is_passing=is_passing,
        )

    def with_calls(self, calls: Sequence[Syscall], lost: int) -> Live:
        """The same with calls that were entered or have returned."""
        known = {_key(each): each for each in self.calls}
        known |= {_key(each): each for each in calls if _is_of_network(each)}
        kept = sorted(known.values(), key=lambda each: each.entry_ns)[-MOST_CALLS:]
        return replace(self, calls=tuple(kept), lost_calls=self.lost_calls + lost)

    def with_hosts(
        self, programs: tuple[ProgramNow, ...] | None, sockets: tuple[SocketNow, ...] | None
    ) -> Live:
        """The same with programs and sockets as they are now, where they have changed."""
        return replace(
            self,
            programs=self.programs if programs is None else programs,
            sockets=self.sockets if sockets is None else sockets,
        )

    def at(self, time_ns: int, left_s: float) -> Live:
        """The same, so much later."""
        return replace(self, time_ns=time_ns, left_s=left_s)

    @property
    def recallable(self) -> int:
        """The frame whose last decision can be undone; 0 for none."""
        here = {each.number for each in self.frames}
        return next((each.number for each in reversed(self.decided) if each.number in here), 0)


def live_scene(live: Live, selected: int = 0) -> StepScene:
    """What is shown; of several links the one on which the selected frame waits."""
    link = _link_of(live, selected)
    ends = live.links[link].ends if link < len(live.links) else ("", "")
    hosts = tuple(end.partition("/")[0] for end in ends)
    numbers = RelativeNumbers(each.original for each in live.frames)
    for _, passed in live.passed:
        numbers.see(passed.data)
    for each in live.frames:
        numbers.see(each.original)
    frames = tuple(
        _waiting(each, live, hosts, numbers)
        for each in (live.waiting[link] if link < len(live.waiting) else ())
    )
    past = tuple(_past(each, hosts, numbers) for place, each in live.passed if place == link)
    others = sum(len(every) for place, every in enumerate(live.waiting) if place != link)
    minutes, seconds = divmod(int(live.left_s), 60)
    status = f"{minutes}:{seconds:02d} left"
    if others:
        status = f"{others} wait on other links, {status}"
    return StepScene(
        f"{live.name}: {live.step}" if live.step else live.name,
        _host(live, hosts[0]),
        _host(live, hosts[1]),
        frames,
        past,
        status,
        live.is_passing,
        live.recallable,
    )


def _link_of(live: Live, selected: int) -> int:
    """The link of that frame, else of the first that waits, else of the last that has gone."""
    for link, frames in enumerate(live.waiting):
        if any(each.number == selected for each in frames):
            return link
    waiting = [(f.number, link) for link, every in enumerate(live.waiting) for f in every]
    if waiting:
        return min(waiting)[1]
    return live.passed[-1][0] if live.passed else 0


def _waiting(
    frame: HeldFrame, live: Live, hosts: Sequence[str], numbers: RelativeNumbers
) -> FrameShown:
    waited_s = max(live.time_ns - frame.came_ns, 0) / 1e9
    match frame.state:
        case "delayed":
            note = f"goes on in {max(frame.due_ns - live.time_ns, 0) / 1e9:.1f} s"
        case "swapped":
            note = "goes on behind the next"
        case "dropped":
            note = "dropped"
        case _:
            note = f"waits for {waited_s:.1f} s"
    words = ["resent"] if frame.is_resent else []
    if frame.data != frame.original:
        words.append("edited")
    return FrameShown(
        frame.number,
        frame.side == 0,
        _text(frame.data, numbers),
        f"{hosts[frame.side]} {kind_of(frame.data)}",
        frame.data,
        ", ".join((*words, note)),
        frame.state,
    )


def _past(passed: Passed, hosts: Sequence[str], numbers: RelativeNumbers) -> FrameShown:
    note = "" if passed.how in ("delivered", "passed") else passed.how
    return FrameShown(
        passed.number,
        passed.side == 0,
        frame_text(passed.data, numbers),
        f"{hosts[passed.side]} {kind_of(passed.data)}",
        passed.data,
        note,
        "gone",
    )


def _text(data: bytes, numbers: RelativeNumbers) -> str:
    return " ".join(filter(None, (frame_text(data, numbers), payload_text(data))))


def _host(live: Live, host: str) -> HostShown:
    programs = []
    for program in live.programs:
        if program.host != host:
            continue
        calls = [decoded(each, live.machine) for each in live.calls if each.program == program.name]
        ended = program.exit_status
        programs.append(
            ProgramShown(
                program.name,
                "runs" if ended is None else f"exited with {ended}",
                program.line,
                tuple(map(shown, calls)),
                waits_for(calls) if ended is None else "",
            )
        )
    sockets = tuple(_socket(each, live.time_ns) for each in live.sockets if each.host == host)
    return HostShown(host, tuple(programs), sockets)


def _socket(seen: SocketNow, now_ns: int) -> SocketShown:
    queues = []
    if seen.send_queue and seen.state != "LISTEN":
        queues.append(f"{seen.send_queue} unacknowledged")
    if seen.receive_queue:
        queues.append(f"{seen.receive_queue} unread" if seen.state != "LISTEN" else "not accepted")
    text = " ".join((seen.protocol, str(seen.local_port), seen.state, *queues))
    return SocketShown(printable(text), timer_text(seen, now_ns))


_DOES: Mapping[str, str] = {
    "retransmission": "resends",
    "keepalive": "keepalive",
    "TIME-WAIT": "ends",
    "zero window probe": "probes the window",
}


def timer_text(seen: SocketNow, now_ns: int) -> str:
    """What a socket's timer will do, and when: "resends in 0.8 s (RTO 1.6 s), 2 done"."""
    if not seen.timer:
        return ""
    left_s = max(seen.due_ns - now_ns, 0) / 1e9
    text = f"{_DOES.get(seen.timer, seen.timer)} in {left_s:.1f} s"
    if seen.timer == "retransmission" and seen.rto_us:
        text += f", RTO {seen.rto_us / 1e6:.1f} s"
    return text + (f", {seen.resent} done" if seen.resent else "")


def _is_of_network(call: Syscall) -> bool:
    """Whether it is about sockets: with files an interpreter makes hundreds at its start."""
    shape = CALLS.get(call.name)
    has_descriptor = shape is not None and shape.descriptor is not None
    if call.name == "close_range":
        return False
    return not has_descriptor or bool(call.socket) or call.name.startswith("epoll")


def _key(call: Syscall) -> tuple[str, int, int]:
    return call.program, call.tid, call.entry_ns
