from __future__ import annotations

import re
from typing import Any

import pytest

from lab.errors import UsageError
from lab.grade.trial import Trial, each_once, trial, trials_of
from lab.model.shapes import star


def one_client(bench: object) -> None:
    """One client says something.

    And more.
    """


def mute(bench: object) -> None:
    pass


def test_a_function_becomes_a_trial_with_its_name_and_its_sentence() -> None:
    made = trial(one_client)
    assert (made.name, made.sentence, made.make) == (
        "one-client", "One client says something.", one_client,
    )  # fmt: skip
    assert (made.family, made.is_traced, made.topology) == (4, False, None)


def test_a_trial_may_be_of_another_kind() -> None:
    made = trial(name="v6", family=6, trace="auto", topology=star(3))(one_client)
    assert (made.name, made.family, made.is_traced, made.topology) == ("v6", 6, True, star(3))
    assert len({made, trial(one_client)}) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"family": 5}, "IP version 5"),
        ({"trace": "strace"}, "there are auto, bpf"),
        ({"name": "One Client"}, "small letters"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        trial(**options)(one_client)
    with pytest.raises(UsageError, match="docstring"):
        trial(mute)


def test_trials_are_given_one_or_several() -> None:
    one, two = trial(one_client), trial(name="two")(one_client)
    assert trials_of("x", one) == (one,)
    assert trials_of("x", [one, two]) == (one, two)
    assert each_once([one, two, one]) == (one, two)
    for wrong in (one_client, (one, "two"), "two"):
        with pytest.raises(UsageError, match="give a trial"):
            trials_of("x", wrong)
    assert isinstance(one, Trial)
