"""What is expected of frames, whatever they carry, and of silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.expect.expectation import Expectation, met, unmet
from lab.expect.matching import FrameSeen, in_any_order, in_order
from lab.expect.values import as_bytes, shown
from lab.frozen import frozen
from lab.model.claim import Contrast, Verdict, frame_ids, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.expect.patterns import AnyFrame
    from lab.expect.subject import Subject


@frozen
class Among:
    """WhichConnections frames are looked at; where nothing is said, all."""

    src: str = ""
    """The host that sent them, by name or address."""
    dst: str = ""
    on: str = ""
    """An interface that they were seen at: "lo", "eth0", or one host's, "client/lo"."""

    def __str__(self) -> str:
        words = [
            f"from {self.src}" if self.src else "",
            f"to {self.dst}" if self.dst else "",
            f"on {self.on}" if self.on else "",
        ]
        return " ".join(filter(None, words))

    def of(self, subjects: Sequence[Subject]) -> list[FrameSeen]:
        """The frames, in order of time, those with segments with these."""
        return list(self._each(subjects))

    def _each(self, subjects: Sequence[Subject]) -> Iterator[FrameSeen]:
        for subject in subjects:
            segment_of = {s.crossing: s for talk in subject.conversations for s in talk.segments}
            for crossing in subject.crossings:
                if self._is_meant(crossing):
                    yield crossing, segment_of.get(crossing.number)

    def _is_meant(self, crossing: Crossing) -> bool:
        ip = crossing.packet.ip
        sources = (crossing.sender, str(ip.source) if ip else "")
        targets = (crossing.receiver, str(ip.destination) if ip else "")
        return (
            (not self.src or self.src in sources)
            and (not self.dst or self.dst in targets)
            and (not self.on or self.on in _points(crossing))
        )


def are_there(
    among: Among, patterns: Sequence[AnyFrame], *, in_any: bool, none_else: bool
) -> Expectation:
    """Frames as the patterns describe them."""
    order = "in any order" if in_any else "in this order"
    said = ", ".join(map(str, patterns))
    more = " and no others" if none_else else ""

    def check(subjects: Sequence[Subject]) -> Verdict:
        match = in_any_order if in_any else in_order
        return match(patterns, among.of(subjects), none_else=none_else)

    about = f" {among}" if str(among) else ""
    sentence = f"The frames{about} are {said}, {order}{more}."
    return Expectation("frames", sentence, "docs/expect.md", check)


def are_counted(among: Among, at_least: int, at_most: int | None) -> Expectation:
    """As many frames as that."""
    about = f" {among}" if str(among) else ""

    def check(subjects: Sequence[Subject]) -> Verdict:
        frames = among.of(subjects)
        numbers = [crossing.number for crossing, _ in frames]
        if len(frames) >= at_least and (at_most is None or len(frames) <= at_most):
            return met(f"{counted(len(frames), 'frame')}{about}", frame_ids(numbers))
        found = Contrast(f"frames{about}", bounds, str(len(frames)))
        return unmet(f"there are {len(frames)}", [found], frame_ids(numbers[at_most or 0 :]))

    if at_least == at_most:
        bounds = "none" if not at_most else str(at_most)
    elif at_most is None:
        bounds = f"at least {at_least}"
    else:
        bounds = f"{at_least} to {at_most}" if at_least else f"at most {at_most}"
    name = f"nothing-on:{among.on}" if among == Among(on=among.on) and not at_most else "frames"
    sentence = f"There are {bounds} frames{about}." if at_most else f"There is no frame{about}."
    return Expectation(name, sentence, "packet(7)", check)


def silent() -> Expectation:
    """Not one frame, proven by canaries that were seen everywhere before and after."""

    def check(subjects: Sequence[Subject]) -> Verdict:
        if any(subject.timeline is None for subject in subjects):
            return undecided(
                "a capture file does not prove that what it lacks did not happen: only a run has "
                "canary frames around it"
            )
        numbers = [crossing.number for subject in subjects for crossing in subject.crossings]
        if not numbers:
            return met("not one frame between the canaries")
        compared = [Contrast("frames", "none", str(len(numbers)))]
        return unmet(f"there are {counted(len(numbers), 'frame')}", compared, frame_ids(numbers))

    return Expectation("silent", "Nothing at all goes over any link.", "packet(7)", check)


def no_clear_text(secret: bytes | str) -> Expectation:
    """These bytes are in no frame and in no TCP stream, where segments may share them."""
    wanted = as_bytes(secret)

    def check(subjects: Sequence[Subject]) -> Verdict:
        every = [crossing for subject in subjects for crossing in subject.crossings]
        if not every:
            return undecided("not one frame was seen, so there is nothing that could have it")
        plain = [c.number for c in every if wanted in c.packet.frame.data]
        compared = [Contrast("in clear text", "nowhere", f"{shown(wanted, 30)}")]
        if plain:
            return unmet(f"f{plain[0]} has it in clear text", compared, frame_ids(plain))
        for subject in subjects:
            for talk in subject.conversations:
                for stream, way in (
                    (talk.client_to_server, "client"),
                    (talk.server_to_client, "server"),
                ):
                    if wanted in stream.data:
                        carriers = [
                            s.crossing
                            for s in talk.segments
                            if s.length and s.from_client == (way == "client")
                        ]
                        why = f"what the {way} of tcp {talk.flow.number} sent has it in clear text"
                        return unmet(why, compared, frame_ids(carriers))
        return met(f"in none of {counted(len(every), 'frame')}", frame_ids([every[0].number]))

    said = shown(wanted, 30)
    name = f"no-clear-text:{wanted.decode('utf-8', 'backslashreplace')}"
    return Expectation(name, f"{said} is nowhere in clear text.", "RFC 9293, 3.4", check)


def _points(crossing: Crossing) -> set[str]:
    """The names of the interfaces that it was seen at: "client/eth0", "eth0"."""
    packets = [crossing.packet, *(hop.packet for hop in crossing.hops)]
    points = {packet.frame.point for packet in packets}
    return points | {point.rpartition("/")[2] for point in points}
