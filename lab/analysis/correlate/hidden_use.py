"""Channels of sockets that may have been used by what is no call on them, as by io_uring(7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.sockets.socket_calls import hiding, moves_descriptors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Channel
    from lab.analysis.sockets.endpoint import Endpoint


def with_hidden_use(
    channels: Iterable[Channel], endpoints: Mapping[str, Endpoint], calls: Iterable[SystemCall]
) -> tuple[Channel, ...]:
    """The channels, uncounted where a hidden use of a socket explains what its calls do not."""
    hiders: dict[str, SystemCall] = {}
    movers: dict[str, SystemCall] = {}
    for call in hiding(calls):
        hiders.setdefault(call.host, call)
        if moves_descriptors(call):
            movers.setdefault(call.host, call)
    if not hiders:
        return tuple(channels)
    return tuple(_marked(channel, endpoints, hiders, movers) for channel in channels)


def _marked(
    channel: Channel,
    endpoints: Mapping[str, Endpoint],
    hiders: Mapping[str, SystemCall],
    movers: Mapping[str, SystemCall],
) -> Channel:
    """The channel, with a call that hides what its ends did beyond their calls, if one does.

    Or with one, of `movers`, after which other sockets' calls may be counted as theirs.
    """
    if channel.uncounted:
        return channel
    went = channel.carried
    hosts = [endpoints[end].host for end in (channel.sender, channel.receiver) if end]
    suspects: list[str] = []
    if not (channel.sender and channel.receiver):
        suspects += [host for host in hiders if host not in hosts]
    if channel.sender and channel.sent < (channel.read if went is None else went):
        suspects.append(endpoints[channel.sender].host)
    if channel.receiver and channel.read < (channel.sent if went is None else went):
        suspects.append(endpoints[channel.receiver].host)
    hider = next((hiders[host] for host in suspects if host in hiders), None)
    if channel.sender and channel.sent > (channel.read if went is None else went):
        hider = hider or movers.get(endpoints[channel.sender].host)
    if channel.receiver and channel.read > (channel.sent if went is None else went):
        hider = hider or movers.get(endpoints[channel.receiver].host)
    return channel if hider is None else replace(channel, uncounted=hider.id)
