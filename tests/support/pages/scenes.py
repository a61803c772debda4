"""Scenes and pages of recorded runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from lab.derive import derived
from lab.ladder.build import build_ladder
from lab.records import LineUse, SourceLine
from lab.results import Result
from lab.run import judged
from lab.scene.build import build_scene
from lab.scene.model import Scene

RECORDINGS = Path(__file__).parents[2] / "recordings"


@cache
def recorded_result(name: str) -> Result:
    """The recorded run in the folder of that name, judged."""
    return judged(str(RECORDINGS / name))


@cache
def recorded_scene(name: str) -> Scene:
    """The scene of its first step."""
    return build_scene(build_ladder(recorded_result(name).timelines[0]))


@cache
def recorded_page(name: str) -> str:
    """Its report.html."""
    return derived(recorded_result(name), "html").decode("utf-8")


@cache
def noted_result() -> Result:
    """The traced run of tcp, whose client noted the line that made its connect()."""
    result = recorded_result("traced-tcp4")
    (timeline,) = result.timelines
    call = next(call for call in timeline.system_calls if str(call.id) == "client#2")
    text = ("def main():", "", "    c.connect((address, port))", "\tpass", "")
    line = SourceLine("/demos/client.py", 25, "main", "", 23, text)
    use = LineUse(call.program, call.tid, 0, call.entry_ns, call.entry_ns, timeline.step)
    recording = replace(timeline.recording, source_lines=(line,), line_uses=(use,))
    return replace(result, timelines=(replace(timeline, recording=recording),))


class Parsed(HTMLParser):
    """A page as a browser's parser sees it: elements, their attributes, and scripts' texts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.text: list[str] = []
        self._script: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs).get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.text.append(data)
        else:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data

    def part(self, number: int = 0) -> dict[str, Any]:
        """The document of one part."""
        found: dict[str, Any] = json.loads(self.scripts[f"part-{number}"])
        return found

    def policy(self) -> str:
        """The content security policy."""
        return next(
            attributes["content"] or ""
            for tag, attributes in self.elements
            if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
        )


def style_of(page: str) -> str:
    """The text of the page's one style element."""
    (found,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    return str(found)
