from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from scenes import Parsed, style_of

from lab.report.html.plain_page import PageSection, plain_page

HOSTILE = "</style><script>alert(1)</script>\"onload='x' ]]> \u202e \0"


def test_a_page_without_a_script_allows_none() -> None:
    page = plain_page("t", "q", "HOLDS", [PageSection("s", [("", "a"), ("row", "1")], ["same"])])
    parsed = Parsed(page)
    digest = b64encode(sha256(style_of(page).encode("utf-8")).digest()).decode("ascii")
    assert f"style-src 'sha256-{digest}'" in parsed.policy()
    assert "script-src" not in parsed.policy()
    assert ("tr", {"class": "same"}) in parsed.elements


def test_hostile_texts_stay_texts() -> None:
    section = PageSection(HOSTILE, [(HOSTILE, HOSTILE)] * 2, notes=(HOSTILE,))
    parsed = Parsed(plain_page(HOSTILE, HOSTILE, "", [section]))
    assert not any(tag == "script" for tag, _ in parsed.elements)
    assert "\u202e" not in "".join(parsed.text)
