"""What the keys do, in full."""

from __future__ import annotations

STEP_HELP = """\
Each frame waits on the wire until you decide on it.

  d, Enter    deliver it
  x           drop it
  c           deliver it, and a copy behind it
  y           delay it: it goes on by itself after that time
  s           swap it with the next of its way and protocol
  e           edit its header; it waits on
  u           undo the last decision whose frame has not gone on
  up, down    another frame that waits
  g           frames pass until a SYN, FIN, data, a call; or g
  v           its bytes and fields
  p           predict what comes next, before each delivery
  q           end: what waits is delivered, or dropped

Left and right: what each program is in (">"), its source if it is
Python, its sockets with the timers of its kernel. Those timers run
on while you think: a segment that waits for too long is sent again,
and its copy waits behind it. Frames of one way go on in their
order; s swaps two.

At the deadline (top right corner) everything is delivered, and the
programs have 10 seconds to end.
"""

PLAY_HELP = """\
A recorded run, one event after another.

  right, left   one event on, or back
  n, b          to the next frame that is sent, or the one before
  Home, End     the beginning, the end
  space         in time; space stops
  +, -          ten times as fast, or as slow
  PgDn, PgUp    the next step of the run, the one before
  v             the bytes and fields of the frame
  p             predict what comes next, before each frame
  q             end

Left and right: what each program was in (">"), its source if that
was noted, the states of its connections. Between them the frames
that are on their way.
"""
