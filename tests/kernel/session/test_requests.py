from __future__ import annotations

import pickle

from lab.kernel.session.requests import EndSession, GoOn, Interrupt, Job, Resize, Typed, Written


def test_what_is_sent_is_told_apart_though_it_is_equal() -> None:
    """Named tuples without fields are all equal: their classes have to come across."""
    sent = (GoOn(), Interrupt(), EndSession(), Typed(b"x"), Resize(24, 80), Written(b"x", False))
    received = pickle.loads(pickle.dumps(sent))
    assert [type(each) for each in received] == [type(each) for each in sent]
    assert received == sent
    assert pickle.loads(pickle.dumps(Job(1, 2, "h1", None, b""))).status is None
