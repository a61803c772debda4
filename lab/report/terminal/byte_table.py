"""How the bytes went: from sends over the wire to reads, a line for each way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rich.text import Text

from lab.analysis.channel_ends import ChannelEnd, EndKind, channel_ends
from lab.analysis.correlate.correlation import Channel
from lab.analysis.sockets.socket_calls import why_uncounted
from lab.analysis.timeline import Timeline
from lab.model.counted import counted
from lab.report.terminal.drawing.style import Style

MOST_CHANNELS = 12
NAMES = {
    EndKind.SOCKET: "{program}",
    EndKind.UNREAD: "{program}",
    EndKind.ACCEPT_QUEUE: "{program}'s accept queue",
    EndKind.RAW_SOCKET: "{program}'s raw socket",
    EndKind.REFUSED: "nobody (port unreachable)",
    EndKind.SILENT: "nobody known",
    EndKind.NOWHERE: "nowhere",
    EndKind.UNTRACED: "somebody not traced",
    EndKind.UNKNOWN: "somebody",
}
"""What is written for an end of a channel."""


def draw_bytes(timeline: Timeline, style: Style) -> Iterator[Text]:
    """Each channel's counts, and its bytes as the calls sent, the wire carried, calls read."""
    channels = timeline.correlation.channels
    if not channels:
        return
    yield Text()
    yield style.heading("How the bytes went")
    if timeline.bracket.incomplete:
        why = timeline.bracket.incomplete[0]
        warning = f"Incomplete capture ({why}): the wire may have carried more."
        for line in style.wrap(warning, style.width - 2):
            yield Text(f"  {line}", "bold red")
    for channel in channels[:MOST_CHANNELS]:
        text = f"{_ends(channel, timeline)}: {_counts(channel, timeline)}"
        colour = "" if _is_even(channel) else "bold yellow"
        for line in style.wrap(style.drawn(text), style.width - 2, "  "):
            yield Text(f"  {line}", colour)
    left = len(channels) - MOST_CHANNELS
    if left > 0:
        yield Text(f"  ... and {left} more; report.json has them all", "bold yellow")


def _ends(channel: Channel, timeline: Timeline) -> str:
    """Who sent to whom: "client → server (tcp 0)"."""
    sender, receiver = map(_name, channel_ends(channel, timeline))
    way = channel.flow or "no wire"
    return f"{sender} → {receiver} ({way})"


def _name(end: ChannelEnd) -> str:
    return NAMES[end.kind].format(program=end.program)


def _counts(channel: Channel, timeline: Timeline) -> str:
    """What was counted, or why it was not."""
    if not channel.uncounted:
        counts = f"{channel.counts}, {_accounting(channel)}"
        waits = channel_ends(channel, timeline)[1].kind is EndKind.ACCEPT_QUEUE
        if waits and channel.carried:
            return f"{counts}; {counted(channel.carried, 'byte')} waiting with the connection"
        return counts
    call = next(call for call in timeline.system_calls if call.id == channel.uncounted)
    return f"not counted: {why_uncounted(call)}"


def _accounting(channel: Channel) -> str:
    """ "48 bytes sent = 48 on the wire = 48 read"."""
    counts = [(channel.sent, "sent"), (channel.carried, "on the wire"), (channel.read, "read")]
    known = [(count, where) for count, where in counts if count is not None]
    text = f"{counted(known[0][0], 'byte')} {known[0][1]}"
    for (before, _), (count, where) in pairwise(known):
        text += f" {'=' if count == before else '≠'} {count} {where}"
    return text


def _is_even(channel: Channel) -> bool:
    if channel.uncounted:
        return False
    return channel.sent == channel.read and channel.carried in (None, channel.sent)
