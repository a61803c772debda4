"""Canaries: frames of the lab's own that show that a capture saw all that passed before them."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from lab.errors import KernelRefused
from lab.kernel.capture.capture import ETH_P_LOCAL_EXPERIMENTAL, LiveCapture, PointName
from lab.kernel.capture.frames import FrameRecorder
from lab.kernel.capture.settling import moving_about, run_on
from lab.kernel.system.loop import Loop
from lab.records import CANARY_TEXT, Canary, CanaryBracket

DEADLINE_S = 2.0
PAYLOAD_BYTES = 46  # Ethernet's minimum
BROADCAST = b"\xff" * 6
ENDS = 2  # each canary is captured leaving one interface and arriving at another


class Refused(NamedTuple):
    """A point from which no canary could be sent."""

    point: PointName
    error: KernelRefused


class Canaries:
    """Sends canaries before and after a step, and waits until they were captured."""

    def __init__(self, recorder: FrameRecorder, loop: Loop) -> None:
        """`recorder` must be one of the loop's sources."""
        self.sent: list[Canary] = []
        self._recorder = recorder
        self._loop = loop

    def send(self, step: str, bracket: CanaryBracket) -> tuple[Refused, ...]:
        """Send a canary from every point and CPU; wait until each was captured at both ends.

        A frame waits for its receiver in a queue of the CPU that sent it, so that only a canary
        from the same CPU is known to be behind it. One that was not captured before the
        deadline is left for the analysis to find missing. The result are the points from which
        none could be sent; on their links none is waited for. Raises KernelRefused.
        """
        self._recorder.watch()
        refused: dict[PointName, KernelRefused] = {}
        links: dict[bytes, str] = {}
        with moving_about() as cpus:
            for cpu in cpus:
                run_on(cpu)
                for capture in self._recorder.captures:
                    if capture.point in refused:
                        continue
                    try:
                        payload = self._send(capture, step, bracket, cpu)
                    except KernelRefused as error:
                        refused[capture.point] = error
                    else:
                        links[payload] = capture.point.link
        broken = {point.link for point in refused}
        for payload, link in links.items():
            if link in broken:
                del self._recorder.sightings[payload]
        self._loop.serve_until(self._were_seen, DEADLINE_S)
        return tuple(Refused(point, error) for point, error in refused.items())

    def _were_seen(self) -> bool:
        self._recorder.look()
        if self._recorder.has_ended:
            return True
        return all(count >= ENDS for count in self._recorder.sightings.values())

    def _send(self, capture: LiveCapture, step: str, bracket: CanaryBracket, cpu: int) -> bytes:
        """Send one from there; its payload. Raises KernelRefused."""
        # What secrets.token_hex() does; its module imports OpenSSL.
        nonce = os.urandom(8).hex().encode("ascii")
        payload = b"%s %s cpu %d %s" % (CANARY_TEXT, bracket.encode("ascii"), cpu, nonce)
        payload = payload.ljust(PAYLOAD_BYTES, b"\0")
        kind = struct.pack("!H", ETH_P_LOCAL_EXPERIMENTAL)
        capture.send_frame(BROADCAST + bytes(6) + kind + payload)
        self._recorder.sightings[payload] = 0
        self.sent.append(Canary(bracket, capture.point.name, payload, step))
        return payload
