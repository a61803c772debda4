from __future__ import annotations

import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import Parsed

from lab.analysis.counters import CounterRow, CounterTable
from lab.analysis.sockets.held import HeldRow
from lab.linux.counters import CounterMeaning
from lab.report.html.page_text import CauseLine, ClaimLine, PageHead, escaped, page_text

HOSTILE = "</script><b>'\"&amp;\x00\u202e"


@given(st.text())
def test_what_is_escaped_is_what_markupsafe_escapes(text: str) -> None:
    assert escaped(text) == str(markupsafe.escape(text))


def text_of(head: PageHead, rows: list[tuple[str, ...]]) -> str:
    pieces = page_text(
        head, rows, policy="default-src 'none'", style="", script="", bench="", views="",
        index="{}", documents=("{}", "[]"),
    )  # fmt: skip
    return "".join(pieces)


def everything(word: str) -> PageHead:
    """A head whose every text is that word, but for outcomes and addresses: these are the lab's."""
    claims = tuple(
        ClaimLine("HOLDS", word, word, word, ((word, "#f1"), (word, "")) * times, unnamed=times)
        for times in (1, 4)
    )
    causes = tuple(
        CauseLine(step, word, word, decided, ((word, "#f1"),), (word,))
        for step, decided in ((word, word), ("", ""))
    )
    table = CounterTable(
        (word,),
        (
            CounterRow(word, (5,), CounterMeaning(word, word)),
            CounterRow(word, (0,), None),
        ),
    )
    held = HeldRow(1, word, word, word, word, word, word)
    return PageHead(
        word, word, "HOLDS", word, ((word, word),), (word,), claims, (word, word), ((word, table),),
        ((word, (held,)),), causes,
    )  # fmt: skip


def test_no_text_is_markup_and_none_is_left_out() -> None:
    plain = text_of(everything("word"), [("word", "word")] * 2)
    hostile = text_of(everything(HOSTILE), [(HOSTILE, HOSTILE)] * 2)
    assert HOSTILE not in hostile and "<b>" not in hostile and "\x00" not in hostile
    tags = [tag for tag, _ in Parsed(plain).elements]
    assert [tag for tag, _ in Parsed(hostile).elements] == tags
    shown = hostile.count(escaped("</script><b>'\"&amp;\\x00\\u202e"))
    assert shown == plain.count("word") > 40


@pytest.mark.parametrize(("rows", "tables"), [([("one",)], 0), ([("one",), ("two",)], 1)])
def test_a_table_of_parts_is_there_where_there_are_several(
    rows: list[tuple[str, ...]], tables: int
) -> None:
    head = PageHead("title", "question", "", "", (), (), (), ("step",))
    page = text_of(head, rows)
    assert page.count('class="parts"') == tables
    assert page.count('id="part-0"') == page.count('id="part-1"') == 1
    assert "badge" not in page and "<h2" in page and page.endswith("</html>")


def test_more_events_than_fit_are_below_the_reason() -> None:
    events = tuple((f"f{number}", "") for number in range(8))
    claim = ClaimLine("HOLDS", "text", "why", "source", events, unnamed=3)
    page = text_of(PageHead("t", "q", "HOLDS", "v", (), (), (claim,), ()), [("one",)])
    assert "<span>and 5 more</span>" in page
    assert "<span>and 3 more, in report.json</span>" in page
    assert page.count("<span>f0</span>") == 2 and page.count("<span>f7</span>") == 1
