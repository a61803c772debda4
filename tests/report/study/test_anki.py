"""The package for Anki, opened as Anki opens it: a zip of a database and pictures."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import recorded as r

from lab.errors import ExtraMissing
from lab.report.study.anki import DECK_ID, MODEL_ID, anki_package, as_html
from lab.run import judged
from lab.study.card import Card, CardSubject
from lab.study.deck import make_deck

pytest.importorskip("genanki")


def notes(package: bytes, folder: Path) -> list[tuple[str, list[str], str]]:
    """Of each note its id, its fields and its tags."""
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        (folder / "collection").write_bytes(opened.read("collection.anki2"))
    database = sqlite3.connect(folder / "collection")
    found = database.execute("select guid, mid, flds, tags from notes").fetchall()
    database.close()
    assert {model for _, model, _, _ in found} <= {MODEL_ID}
    return [(guid, fields.split("\x1f"), tags.strip()) for guid, _, fields, tags in found]


def pictures(package: bytes) -> dict[str, bytes]:
    """By their names in Anki's folder of media."""
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        return {
            name: opened.read(number) for number, name in json.loads(opened.read("media")).items()
        }


def deck(*names: str) -> Sequence[Card]:
    return make_deck([judged(str(r.FOLDER / name)) for name in names])


def test_every_card_is_a_note_with_its_picture(tmp_path: Path) -> None:
    cards = deck("traced-tcp4", "traced-reset4")
    package = anki_package(cards)
    found = notes(package, tmp_path)
    assert len(found) == len(cards)
    drawn = [card for card in cards if card.picture is not None]
    assert drawn
    assert set(pictures(package)) == {f"wirelab-{card.id}.svg" for card in drawn}
    shown = [fields[3] for _, fields, _ in found if fields[3]]
    assert sorted(shown) == sorted(f'<img src="wirelab-{card.id}.svg">' for card in drawn)
    for picture in pictures(package).values():
        assert picture.startswith(b"<svg ")
        assert b"http" not in picture.replace(b"http://www.w3.org/2000/svg", b"")


def test_a_second_export_updates_the_first(tmp_path: Path) -> None:
    first = notes(anki_package(deck("traced-tcp4")), tmp_path)
    second = notes(anki_package(deck("traced-reset4")), tmp_path)
    assert [guid for guid, _, _ in first] == [guid for guid, _, _ in second]
    assert len({guid for guid, _, _ in first}) == len(first)
    assert [fields for _, fields, _ in first] != [fields for _, fields, _ in second]
    # Written down, so that they stay what they were in everybody's collections.
    assert (DECK_ID, MODEL_ID) == (1_742_095_113, 1_286_634_907)
    assert first[0][0] == "upfm{Q3}=`"


def test_cards_are_tagged_by_their_subject(tmp_path: Path) -> None:
    tags = {tag for _, _, tag in notes(anki_package(deck()), tmp_path)}
    assert tags == {"wirelab::statement", "wirelab::cause"}


HOSTILE = "<script>alert(1)</script> \x1f\x1b[31m & [sound:x.mp3] `a<b`"


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    card = Card(CardSubject.CAUSE, "x", HOSTILE, HOSTILE, HOSTILE, HOSTILE, None)
    ((_, fields, _),) = notes(anki_package([card]), tmp_path)
    assert len(fields) == 5
    text = as_html(HOSTILE)
    assert fields == [text, text, text, "", text]
    assert "<script" not in text
    assert "[" not in text
    assert text.isprintable()
    assert text.endswith("<code>a&lt;b</code>")


def test_where_genanki_is_missing_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genanki", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'wirelab\[anki\]'"):
        anki_package([])
