"""What is said where Textual is missing."""

from __future__ import annotations

import pytest

from lab.errors import ExtraMissing
from lab.screen import needed


def test_the_line_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    needed.need_textual()
    monkeypatch.setattr(needed, "find_spec", lambda name: None)
    with pytest.raises(ExtraMissing, match=r"pip install 'wirelab\[step\]'"):
        needed.need_textual()
