"""Cards as a package of Anki's, made by genanki, which the extra `anki` brings."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import ExtraMissing
from lab.report.study.picture import card_picture
from lab.report.svg.visible import visible

if TYPE_CHECKING:
    from lab.study.card import Card

# Anki tells decks, note types and notes apart by numbers and texts of their own: with the same ones
# a second import updates what the first brought. They were drawn once, by chance.
DECK_ID = 1_742_095_113
MODEL_ID = 1_286_634_907
FIELDS = ("Question", "Answer", "Seen", "Picture", "Source")

_BACK = """\
{{FrontSide}}
<hr id="answer">
<p>{{Answer}}</p>
{{#Seen}}<p class="seen">{{Seen}}</p>{{/Seen}}
{{Picture}}
{{#Source}}<p class="source">{{Source}}</p>{{/Source}}
"""
_CSS = """\
.card { font: 18px/1.45 system-ui, sans-serif; text-align: left; max-width: 46em; margin: auto; }
.seen { font-size: 15px; }
.source { font-size: 13px; opacity: 0.75; }
img { max-width: 100%; }
"""


def anki_package(cards: Sequence[Card]) -> bytes:
    """The package, an .apkg file. Raises ExtraMissing where genanki is not installed."""
    try:
        import genanki
    except ImportError:
        raise ExtraMissing("Anki's packages are written by genanki", "anki") from None
    model = genanki.Model(
        MODEL_ID,
        "wirelab",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Card", "qfmt": "{{Question}}", "afmt": _BACK}],
        css=_CSS,
    )
    deck = genanki.Deck(DECK_ID, "wirelab")
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for card in cards:
            shown = ""
            if (drawn := card_picture(card)) is not None:
                # The name is unique among all of a user's pictures.
                file = Path(folder, f"wirelab-{card.id}.svg")
                file.write_text(drawn, "utf-8")
                pictures.append(str(file))
                shown = f'<img src="{file.name}">'
            fields = [as_html(card.question), as_html(card.answer), as_html(card.seen)]
            deck.add_note(
                genanki.Note(
                    model=model,
                    fields=[*fields, shown, as_html(card.source)],
                    guid=genanki.guid_for("wirelab", card.id),
                    tags=[f"wirelab::{card.subject.value}"],
                )
            )
        target = Path(folder, "deck.apkg")
        genanki.Package(deck, pictures).write_to_file(str(target))
        return target.read_bytes()


def as_html(text: str) -> str:
    """A card's text: escaped, what stands between backquotes as code.

    Anki plays and typesets what stands in brackets: [sound:…], [latex].
    """
    escaped = html.escape(visible(text), quote=False).replace("[", "&#91;")
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escaped)
