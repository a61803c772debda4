"""What opens in front of the panes: bytes, help, questions, the form of a header's fields."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Checkbox, Input, Label, Static

_BOX = """
{name} {{ align: center middle; }}
{name} > #box {{
    width: 90%; max-width: 100; height: auto; max-height: 90%; padding: 0 1; border: ascii $primary;
}}
{name} Input {{ border: none; height: 1; }}
{name} Checkbox {{ border: none; height: 1; }}
"""


class TextPage(ModalScreen[None]):
    """Text that is read, and left by any key that does not scroll."""

    CSS = _BOX.format(name="TextPage")

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """The text, under its title."""
        with VerticalScroll(id="box"):
            yield Label(Text(self._title, "bold"))
            yield Static(Text(self._text, no_wrap=True))
            yield Label(Text("Any key but the arrows goes back.", "dim"))

    def on_key(self, event: events.Key) -> None:
        """Scroll, or go back."""
        if event.key not in ("up", "down", "pageup", "pagedown", "home", "end"):
            event.stop()
            self.dismiss()


class Ask(ModalScreen[str | None]):
    """A question that a line answers; None where Escape does."""

    CSS = _BOX.format(name="Ask")

    def __init__(self, question: str, given: str = "") -> None:
        super().__init__()
        self._question, self._given = question, given

    def compose(self) -> ComposeResult:
        """The question and its line."""
        with Vertical(id="box"):
            yield Label(self._question, markup=False)
            yield Input(self._given, id="answer")
            yield Label(Text("Enter: so be it   Escape: not at all", "dim"))

    def on_mount(self) -> None:
        """What is typed goes into the line."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The answer."""
        self.dismiss(event.value)

    def on_key(self, event: events.Key) -> None:
        """Escape answers nothing."""
        if event.key == "escape":
            event.stop()
            self.dismiss(None)


class Choose(ModalScreen[str | None]):
    """A question that a key answers; None where Escape does."""

    CSS = _BOX.format(name="Choose")

    def __init__(self, question: str, keys: str) -> None:
        super().__init__()
        self._question, self._keys = question, keys

    def compose(self) -> ComposeResult:
        """The question."""
        with Vertical(id="box"):
            yield Label(self._question, markup=False)

    def on_key(self, event: events.Key) -> None:
        """One of the keys, or Escape."""
        event.stop()
        if event.key in self._keys or event.key == "escape":
            self.dismiss(None if event.key == "escape" else event.key)


class EditForm(ModalScreen[str | None]):
    """A frame's fields as they are: what is changed becomes the words of a rewrite."""

    CSS = _BOX.format(name="EditForm")

    def __init__(self, title: str, fields: Sequence[tuple[str, str]]) -> None:
        """`fields` are names of docs/wire.md and their values."""
        super().__init__()
        self._title = title
        self._fields = dict(fields)

    def compose(self) -> ComposeResult:
        """A line for each field, and whether checksums are made right."""
        with VerticalScroll(id="box"):
            yield Label(Text(self._title, "bold"))
            for name, value in self._fields.items():
                yield Label(Text(f"{name} (now {value})"))
                yield Input(value, id=f"field-{name.replace('.', '_')}")
            yield Checkbox("checksums are made right", True, id="fits")
            yield Label(Text("Enter: change it  Tab: next  +N -N adds  Escape: not at all", "dim"))

    def on_mount(self) -> None:
        """What is typed goes into the first field."""
        self.query(Input).first().focus()

    def on_input_submitted(self) -> None:
        """What has been changed, in a rule's words; None where nothing was."""
        changed = []
        for name, before in self._fields.items():
            value = self.query_one(f"#field-{name.replace('.', '_')}", Input).value.strip()
            if value != before and value:
                changed.append(f"{name}={value}")
        raw = "" if self.query_one("#fits", Checkbox).value else " raw"
        self.dismiss(f"rewrite {' '.join(changed)}{raw}" if changed else None)

    def on_key(self, event: events.Key) -> None:
        """Escape changes nothing."""
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
