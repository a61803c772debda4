from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256

import pytest
from scenes import Parsed, recorded_page, style_of

from lab.model.event import EventId, EventKind
from lab.report.html.page import PageIndex, address_of, json_for_html, render_page
from lab.report.html.page_text import ClaimLine, PageHead

HOSTILE = "</script><script>alert(1)</script>\"onload='x' ]]> <!-- \u2028 \u202e \0 &lt;"


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-unix4", "udp4"])
def test_nothing_in_a_page_refers_to_anything_outside_it(name: str) -> None:
    page = recorded_page(name)
    parsed = Parsed(page)
    for tag, attributes in parsed.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "audio", "video")
        assert not {"src", "srcset", "action", "style"} & set(attributes)
        assert not any(attribute.startswith("on") for attribute in attributes)
        if "href" in attributes:
            assert (attributes["href"] or "").startswith("#")
    assert "url(" not in style_of(page)
    assert "@import" not in style_of(page)


def test_the_policy_allows_the_page_own_style_and_script_and_nothing_else() -> None:
    page = recorded_page("traced-tcp4")
    parsed = Parsed(page)
    for text in (style_of(page), parsed.scripts[""]):
        digest = b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")
        assert f"'sha256-{digest}'" in parsed.policy()
    assert parsed.policy().startswith("default-src 'none'; ")
    assert "unsafe" not in parsed.policy()


def test_the_page_of_tcp_is_small() -> None:
    assert len(recorded_page("traced-tcp4").encode("utf-8")) <= 400_000


def page_with(text: str) -> str:
    claim = ClaimLine("HOLDS", text, text, text, ((text, "#one/f1"), (text, "")))
    head = PageHead(
        title=text, question=text, verdict="HOLDS", verdict_text=text, facts=((text, text),),
        warnings=(text,), claims=(claim,), columns=("step", "frames"),
    )  # fmt: skip
    index = PageIndex((text, text), [(text, text)] * 2)
    return "".join(render_page(head, index, [{"title": text}] * 2))


def test_hostile_texts_stay_texts() -> None:
    parsed = Parsed(page_with(HOSTILE))
    plain = Parsed(page_with("plain"))
    assert [tag for tag, _ in parsed.elements] == [tag for tag, _ in plain.elements]
    assert parsed.part() == {"title": HOSTILE}
    assert list(parsed.scripts) == ["index", "part-0", "part-1", ""]
    shown = "".join(parsed.text)
    assert "\u202e" not in shown
    assert "\0" not in shown


def test_a_text_of_10_kb_is_no_trouble() -> None:
    assert Parsed(page_with("x" * 10_000)).part() == {"title": "x" * 10_000}


def test_json_cannot_end_the_element_it_is_in() -> None:
    text = json_for_html({"a": HOSTILE, "b": "\ud800"})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text)["a"] == HOSTILE


def test_an_address_is_a_part_and_an_event() -> None:
    call = EventId(EventKind.SYSTEM_CALL, 4, "a/b c")
    assert address_of("one two", call) == "#one%20two/a%2Fb%20c%234"
