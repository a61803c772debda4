"""The help has every key, and fits the smallest terminal."""

from __future__ import annotations

import pytest

from lab.stepping.help import PLAY_HELP, STEP_HELP
from lab.stepping.panes import PLAY_KEYS, STEP_KEYS


@pytest.mark.parametrize(("text", "keys"), [(STEP_HELP, STEP_KEYS), (PLAY_HELP, PLAY_KEYS)])
def test_every_key_is_in_the_help(text: str, keys: str) -> None:
    listed = {key for line in text.splitlines() if line.startswith("  ")
              for key in line[2:14].replace(",", " ").split()}  # fmt: skip
    for word in keys.split():
        if len(word) == 1 and word != "?" and word.isalpha():
            assert word in listed, word
    assert all(len(line) <= 68 for line in text.splitlines())
