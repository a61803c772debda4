from __future__ import annotations

import pytest

from lab.errors import PointedError
from lab.expect.words import WORDS, parse_expectation


@pytest.mark.parametrize(
    ("text", "name", "part"),
    [
        ("handshake", "handshake", "SYN-ACK"),
        ("no-reset", "no-reset", "not reset"),
        ("closes-with-fin", "closes-with-fin", "FIN"),
        ("closes-with-fin:h2", "closes-with-fin:h2", "first h2's"),
        ("round-trips<=2", "round-trips<=2", "at most 2 round trips"),
        ("retransmissions<=0", "retransmissions<=0", "resends nothing"),
        ("bytes:client=7", "bytes:client=7", "7 bytes from the client"),
        ("bytes:client>=1", "bytes:client=at least 1", "bytes (at least 1) from the client"),
        ("bytes:server=>=1", "bytes:server=b'>=1'", "b'>=1' from the server"),
        ("bytes:server=a=b", "bytes:server=b'a=b'", "b'a=b' from the server"),
        ("no-clear-text:a:b<=c", "no-clear-text:a:b<=c", "b'a:b<=c'"),
        ("nothing-on:lo", "nothing-on:lo", "on lo"),
        ("silent", "silent", "Nothing"),
        ("never:shutdown", "never:shutdown", "No program calls shutdown(2)"),
        ("never:server:shutdown", "never:server:shutdown", "server never calls"),
        ("calls:client:connect", "calls:client:connect", "client calls"),
        ("returns:connect<=50ms", "returns:connect<=50ms", "within 50 ms"),
        ("returns:client:connect<=1.5s", "returns:client:connect<=1500ms", "within 1500 ms"),
        ("exits:server=0", "exits:server=0", "status 0"),
        ("exits:server=-15", "exits:server=-15", "status -15"),
        ("prints:client=200 OK", "prints:client=200 OK", "'200 OK'"),
    ],
)
def test_words_are_an_expectation(text: str, name: str, part: str) -> None:
    expectation = parse_expectation(text)
    assert expectation.name == name
    assert part in expectation.sentence
    assert expectation.sentence.endswith(".")


@pytest.mark.parametrize(
    ("text", "wrong", "said"),
    [
        ("no-rest", "no-rest", "did you mean 'no-reset'"),
        ("", "", "no such expectation"),
        ("round-trips", "", "write round-trips<=N"),
        ("round-trips=2", "=", "write round-trips<=N"),
        ("round-trips<=", "", "write round-trips<=N"),
        ("round-trips<=two", "two", "no number"),
        ("no-reset:now", ":", "write no-reset"),
        ("closes-with-fin:", "", "write closes-with-fin[:WHO]"),
        ("bytes:peer=3", "peer=3", "client or server"),
        ("bytes:peer>=3", "peer>=3", "client or server"),
        ("bytes:client", "client", "write client=N"),
        ("never:server:shutdwon", "server:shutdwon", "did you mean 'shutdown'"),
        ("returns:connect<=soon", "connect<=soon", "the time is"),
        ("exits:server=ok", "server=ok", "the status is a number"),
        ("prints:client", "client", "write PROGRAM=TEXT"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, wrong: str, said: str) -> None:
    with pytest.raises(PointedError, match="--expect") as caught:
        parse_expectation(text)
    assert said in str(caught.value)
    assert text[caught.value.start : caught.value.end] == wrong


def test_each_word_says_its_form_and_what_it_means() -> None:
    for name, word in WORDS.items():
        assert word.form.startswith(name)
        assert word.means.endswith(".")
        assert bool(word.sign) is (word.form != name)
