"""A moment as lines of a terminal: left a host, between them the wire, right the other host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Literal, NamedTuple

from lab.errors import printable
from lab.stepping.keys import HandState, chosen
from lab.stepping.predict import choices
from lab.stepping.scene import CallShown, FrameShown, HostShown, ProgramShown, StepScene

Look = Literal["", "title", "lit", "dim", "warn", "selected"]

TIMERS_RUN = "The kernels' timers run on while frames wait."
PLAY_KEYS = "left right event  n b frame  space play  + - speed  v hex  p predict  ? q"
STEP_KEYS = "d deliver x drop c copy y delay s swap e edit g until u undo v hex p predict ? q"
UNTIL_KEYS = "until: s SYN  f FIN  r RST  d data  e step's end  l {left} calls  m {right} calls"
LEAST_COLUMNS, LEAST_ROWS = 80, 24


class Line(NamedTuple):
    """A line, and how it looks."""

    text: str
    look: Look = ""


class Widths(NamedTuple):
    """Columns of the three panes, with a rule before the second and the third."""

    left: int
    wire: int
    right: int


def widths(columns: int) -> Widths:
    """How wide each pane is on a terminal of so many columns."""
    side = max((columns - 2) * 5 // 16, 20)
    return Widths(side, columns - 2 - 2 * side, side)


def host_lines(host: HostShown, width: int, rows: int) -> list[Line]:
    """A host's pane: its programs with their source and calls, its sockets below."""
    sockets = [*_socket_lines(host, width)]
    sockets = sockets[: max(rows // 3, 2)]
    room = rows - len(sockets) - 1
    lines = [Line(_cut(host.host, width), "title")]
    programs = [*host.programs]
    share = room // max(len(programs), 1)
    for program in programs:
        lines += _program_lines(program, width, share)
    lines = lines[: rows - len(sockets)]
    lines += [Line("")] * (rows - len(sockets) - len(lines))
    return [*lines, *sockets]


def wire_lines(scene: StepScene, hand: HandState, width: int, rows: int) -> list[Line]:
    """The wire's pane: what has gone, then what waits, each with its arrow."""
    picked = chosen(hand, scene)
    waiting: list[Line] = []
    for frame in scene.frames:
        is_picked = picked is not None and frame.number == picked.number
        waiting += _frame_lines(frame, width, is_picked=is_picked)
    head = Line(_cut("the wire" + (" (frames pass)" if scene.is_passing else ""), width), "title")
    room = rows - 1
    if not scene.frames:
        waiting = [Line(_cut("  nothing is on its way", width), "dim")]
    waiting = _around(waiting, room)
    past = [Line(_cut(_past_text(frame), width), "dim") for frame in scene.past]
    left = room - len(waiting)
    kept = past[len(past) - left :] if left and len(past) > left else past[: max(left, 0)]
    lines = [head, *kept, *waiting]
    return lines + [Line("")] * (rows - len(lines))


def bottom_lines(
    scene: StepScene, hand: HandState, width: int, keys: str, note: str = TIMERS_RUN
) -> list[Line]:
    """Three lines: what is said or asked, the note with the score, the keys."""
    said, look = hand.message, "warn"
    if hand.mode == "predict":
        said = "What comes next? " + " ".join(
            f"{each.key}:{each.what}" for each in choices(scene.left.host, scene.right.host)
        )
        # Twelve choices need more than a line: the keys give theirs up.
        wrapped = _wrap(said, width, 3)
        return [Line(each, "lit") for each in wrapped]
    score = f"  predicted: {hand.predictions.score}" if hand.predictions.asked else ""
    if hand.mode == "until":
        keys = UNTIL_KEYS.format(left=scene.left.host, right=scene.right.host)
        look = "lit"
    return [
        Line(_cut(said, width), "warn" if look == "warn" else "lit"),
        Line(_cut(note + score, width), "dim"),
        Line(_cut(keys, width), "title"),
    ]


def head_line(scene: StepScene, width: int) -> Line:
    """What is run, and the time."""
    room = width - len(scene.status) - 1
    return Line(f"{_cut(scene.title, room):<{room}} {scene.status}", "title")


def _program_lines(program: ProgramShown, width: int, rows: int) -> list[Line]:
    lines = [Line(_cut(f"{program.name} {program.state}", width), "title")]
    source = [*_source_lines(program, width)]
    if rows - 2 >= len(source) + 3:
        lines += source
    if program.waits_for:
        rows -= 1
    room = max(rows - len(lines), 1)
    for text, count, is_in_it in _joined(program.calls)[-room:]:
        times = f"{count} x " if count > 1 else ""
        mark = "> " if is_in_it else "  "
        lines.append(Line(_cut(f"{mark}{times}{text}", width), "lit" if is_in_it else ""))
    if program.waits_for:
        lines.append(Line(_cut(program.waits_for, width), "warn"))
    return lines


def _joined(calls: Sequence[CallShown]) -> list[tuple[str, int, bool]]:
    """Calls, of which those that are made again and again stand there once, with how often."""
    found: list[tuple[str, int, bool]] = []
    for call in calls:
        count = 1
        if found and found[-1][0] == call.text:
            count += found.pop()[1]
        found.append((call.text, count, call.is_in_it))
    return found


def _source_lines(program: ProgramShown, width: int) -> Iterator[Line]:
    line = program.line
    if line is None or not line.text:
        return
    yield Line(_cut(f"{PurePath(printable(line.file)).name}:{line.number}", width), "dim")
    for number, text in enumerate(line.text, start=line.first):
        is_here = number == line.number
        shown = printable(text.expandtabs(4))
        yield Line(_cut(f"{'>' if is_here else ' '}{number:3} {shown}", width), _lit(is_here))


def _lit(is_here: bool) -> Look:
    return "lit" if is_here else "dim"


def _socket_lines(host: HostShown, width: int) -> Iterator[Line]:
    for socket in host.sockets:
        yield Line(_cut(socket.text, width))
        if socket.timer:
            yield Line(_cut(f"  {socket.timer}", width), "warn")


def _frame_lines(frame: FrameShown, width: int, *, is_picked: bool) -> list[Line]:
    look: Look = "selected" if is_picked else ("" if frame.state == "waits" else "dim")
    mark = ">" if is_picked else " "
    words = _wrap(f"{_arrow(frame)} {frame.number} {frame.text}", width - 1, 2)
    lines = [Line(f"{mark if place == 0 else ' '}{each}", look) for place, each in enumerate(words)]
    return [*lines, Line(_cut(f"     {frame.note}", width), look)]


def _past_text(frame: FrameShown) -> str:
    return " ".join(filter(None, (f" {_arrow(frame)}", frame.text, frame.note)))


def _arrow(frame: FrameShown) -> str:
    line = "x" if frame.note.startswith(("dropped", "lost")) else "-"
    return f"-{line}>" if frame.to_right else f"<{line}-"


def _around(lines: list[Line], rows: int) -> list[Line]:
    """As many of the lines as there is room for, the selected ones among them."""
    if len(lines) <= rows:
        return lines
    picked = next((at for at, line in enumerate(lines) if line.look == "selected"), 0)
    start = min(max(picked - rows // 2, 0), len(lines) - rows)
    return lines[start : start + rows]


def _wrap(text: str, width: int, most: int) -> list[str]:
    """The text in lines of at most that width, as many as are wanted; the rest is left out."""
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) + 1 > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    kept: Sequence[str] = lines[:most]
    return [_cut(each, width) for each in kept]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 2, 0)] + ".."
