"""What a stepped run says is plain values, which go from one process to another."""

from __future__ import annotations

import pickle

from lab.kernel.links.holding import AtGates
from lab.kernel.stepping.updates import Answered, Over, Update
from lab.records import LinkNow
from lab.wire.held import Decided, HeldFrame, Passed

FRAME = HeldFrame(1, 0, 5, b"new", b"old", False, "waits", 0)
GATES = AtGates(
    ((FRAME,),),
    0,
    ((Passed(2, 1, b"x", 6, "passed"),),),
    False,
    ((Decided(1, "a>b drop", 1, False),),),
)


def test_an_update_arrives_as_it_was_said() -> None:
    update = Update(7, "talk", (LinkNow("a-b", ("a/eth0", "b/eth0")),), GATES)
    for said in (update, Answered("why"), Over()):
        assert pickle.loads(pickle.dumps(said)) == said


def test_what_has_not_changed_is_none() -> None:
    update = Update(7, "talk", ())
    assert (update.gates, update.programs, update.sockets, update.calls) == (None, None, None, ())
