from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tried import one_client, over_ipv6

from lab.errors import PointedError, UsageError
from lab.expect.expectations import Expectations
from lab.grade.check import Check, total

OPENS = Check("opens", 2, "handshake", hint="begin before you connect")


def both_speak(capture: Expectations) -> None:
    """Each side sends something.

    More of it, for teachers.
    """
    capture.tcp().bytes(client=1, server=1)


def says_nothing(capture: Expectations) -> None:
    capture.no_reset()


def test_the_sentence_is_of_the_words_or_of_the_function() -> None:
    assert OPENS.sentence == "Each TCP connection opens with SYN, SYN-ACK and ACK."
    assert OPENS.source == "RFC 9293, 3.5"
    speaks = Check("speaks", 0.5, both_speak)
    assert (speaks.sentence, speaks.source) == ("Each side sends something.", "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "its name has small letters"),
        ({"name": "Opens"}, "'Opens'"),
        ({"name": "../x"}, "its name has small letters"),
        ({"name": "a--b"}, "its name has small letters"),
        ({"name": "opens\n"}, "its name has small letters"),
        ({"name": 3}, "is called 3"),
        ({"name": "score"}, "as a column of results.csv is"),
        ({"points": 0}, "worth 0: points are a number above 0"),
        ({"points": -1}, "a number above 0"),
        ({"points": float("nan")}, "a number above 0"),
        ({"points": float("inf")}, "a number above 0"),
        ({"points": True}, "a number above 0"),
        ({"points": "2"}, "a number above 0"),
        ({"points": 10_001}, "10,000 at most"),
        ({"hint": None}, "is no text"),
        ({"visibility": "hiden"}, "did you mean 'hidden'"),
        ({"visibility": None}, "one of visible, hidden"),
        ({"expects": 7}, "write words"),
        ({"expects": says_nothing}, "has no docstring"),
        ({"of": "one_client"}, "give a trial"),
        ({"about": (3,)}, "give the name of a start"),
        ({"about": ("",)}, "give the name of a start"),
        ({"of": (one_client, over_ipv6)}, "words are of one run"),
    ],
)
def test_a_wrong_check_is_refused_with_the_reason(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        replace(OPENS, **changes)
    assert said in str(refused.value)


def test_a_mistake_in_the_words_is_pointed_at() -> None:
    with pytest.raises(PointedError, match="did you mean 'no-reset'"):
        Check("reset", 1, "no-rest")


def test_points_are_summed_without_losing_tenths() -> None:
    assert total([0.1] * 3) == 0.3
    assert total([0.1] * 10) == 1
    assert isinstance(total([0.5, 0.5]), int)
    assert total([]) == 0


def test_a_check_is_about_all_starts_or_those_that_are_named() -> None:
    assert OPENS.starts == ()
    assert replace(OPENS, about="receiver").starts == ("receiver",)
    assert replace(OPENS, about=["one", "other"]).starts == ("one", "other")


def test_a_check_may_be_of_trials() -> None:
    assert Check("a", 1, both_speak, of=one_client).trials == (one_client,)
    assert Check("a", 1, both_speak, of=[one_client, over_ipv6]).trials == (one_client, over_ipv6)
    assert OPENS.trials == ()
