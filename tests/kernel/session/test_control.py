from __future__ import annotations

import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system.message_socket import Talk

pytestmark = pytest.mark.kernel


def told(talk: Talk, first: int) -> int:
    """Says twice what it is asked, until that is 0; returns the sum."""
    total = first
    while asked := talk.receive():
        talk.say(2 * asked)
        total += asked
    talk.say("the last thing")
    return total


def test_a_call_that_is_asked_for_more_while_it_runs(sandbox: Sandbox) -> None:
    conversation = sandbox.converse(told, 1)
    for number in (3, 4):
        conversation.ask(number)
        assert conversation.next() == 2 * number
    conversation.ask(0)
    assert conversation.result() == 8
    assert sandbox.call(sum, (1, 2)) == 3


def test_an_error_ends_the_conversation(sandbox: Sandbox) -> None:
    conversation = sandbox.converse(told, 1)
    conversation.ask("x")
    assert conversation.next() == "xx"
    with pytest.raises(Exception, match="unsupported operand"):
        conversation.next()
