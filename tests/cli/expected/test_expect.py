from __future__ import annotations

import pytest
from outside import wirelab

from lab.expect.words import WORDS

pytestmark = pytest.mark.kernel


def test_every_form_is_listed_with_what_it_means() -> None:
    done = wirelab("expect", "--list")
    assert done.returncode == 0
    for word in WORDS.values():
        assert word.form in done.stdout.splitlines()
    assert wirelab("expect").stdout == done.stdout
