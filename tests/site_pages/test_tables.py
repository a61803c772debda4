"""Code with bars in tables."""

from __future__ import annotations

import pytest
from house import ROOT

from site_pages.tables import with_bars


def test_a_bar_within_code_of_a_table_is_shown_without_its_backslash() -> None:
    assert with_bars(r"| fish | `complete <x> \| source` | `a` |") == (
        "| fish | <code>complete &lt;x&gt; &#124; source</code> | `a` |"
    )


def test_all_else_stays() -> None:
    text = "`a \\| b`\n\n```\n| `a \\| b` |\n```\n\n| a \\| b | `c` |\n"
    assert with_bars(text) == text


@pytest.mark.parametrize("page", ["command.md", "wire.md"])
def test_pages_have_such_code(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    assert "&#124;" in with_bars(text) and "\\|" not in with_bars(text)
