"""What a stepped run says of itself goes from one process to another, and is kept nowhere."""

from __future__ import annotations

import pickle

from lab.records import LinkNow, ProgramNow, SocketNow


def test_each_arrives_as_it_was_said() -> None:
    socket = SocketNow("a", "tcp", "LISTEN", "::", 80, "::", 0, 0, 5, "", 0, 0, 0, 7)
    for each in (
        LinkNow("a-b", ("a/eth0", "b/eth0")),
        ProgramNow("a", "a", ("x",), 1, None, "", None),
        socket,
    ):
        assert pickle.loads(pickle.dumps(each)) == each
