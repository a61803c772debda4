"""Blocks of code in a page of Markdown, and the commands that are typed in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.frozen import frozen

PROMPT = "$ "
"""Before each command of a block of console."""

TYPED = frozenset((
    "./wirelab", "wirelab", "make", "sudo", "python", "python3", "pip", "tshark", "docker",
    "podman", "vagrant", "apt-get", "git", "cd", "printf", "curl", "eval", "export", "limactl",
    "editcap", ".venv/bin/wirelab", ".venv/bin/python",
))  # fmt: skip
"""Words that begin a command where a block has no prompts."""

_FENCE = re.compile(r"(?P<indent> *)(?P<marks>`{3,}|~{3,}) *(?P<language>[\w+-]*)")
_REMARK = re.compile(r"\s*<!-- *(.*?) *-->\s*")
_COMMENT = re.compile(r"\s{2,}#.*$")
_INDENT = "    "


@frozen
class Block:
    """A block of code."""

    first: int
    """The number, from 0, of its first line in the page; a fence's own line is the one before."""
    lines: tuple[str, ...]
    """Without their indentation."""
    language: str
    """As the fence names it; "" where it does not, or where the block is indented."""
    is_fenced: bool
    remark: str
    """What the HTML comment just above says; "" where there is none."""

    @property
    def end(self) -> int:
        """The number of the line after its last; a fence's closing line is that one."""
        return self.first + len(self.lines)

    @property
    def commands(self) -> tuple[str, ...]:
        """What a reader types, a command each, lines that go on joined."""
        return tuple(_commands(self.lines, self.language))


def blocks_of(text: str) -> tuple[Block, ...]:
    """The blocks of code of a page, fenced and indented, in their order.

    Indented lines are code where a blank line or another such line comes before; what is indented
    below an item of a list is not.
    """
    lines = text.split("\n")
    return tuple(_blocks(lines))


def _blocks(lines: list[str]) -> Iterator[Block]:
    number, is_in_list = 0, False
    while number < len(lines):
        line = lines[number]
        if opened := _FENCE.match(line):
            end = number + 1
            while end < len(lines) and not _closes(lines[end], opened):
                end += 1
            inside = tuple(each.removeprefix(opened["indent"]) for each in lines[number + 1 : end])
            yield Block(number + 1, inside, opened["language"], True, _remark(lines, number))
            number = end + 1
            continue
        if re.match(r"([-*]|\d+\.) ", line):
            is_in_list = True
        elif line.strip() and not line.startswith(" "):
            is_in_list = False
        is_code = line.startswith(_INDENT) and not is_in_list
        if is_code and (number == 0 or not lines[number - 1].strip()):
            end = _end_of_indented(lines, number)
            inside = tuple(each.removeprefix(_INDENT) for each in lines[number:end])
            yield Block(number, inside, "", False, _remark(lines, number - 1))
            number = end
            continue
        number += 1


def _closes(line: str, opened: re.Match[str]) -> bool:
    stripped = line.strip()
    return stripped.startswith(opened["marks"]) and not stripped.strip(opened["marks"][0])


def _end_of_indented(lines: list[str], first: int) -> int:
    """The number after the last indented line; blank ones between such lines belong to them."""
    end = number = first
    while number < len(lines) and (lines[number].startswith(_INDENT) or not lines[number].strip()):
        number += 1
        if lines[number - 1].strip():
            end = number
    return end


def _remark(lines: list[str], before: int) -> str:
    """The comment on the nearest line that is not blank, before that line."""
    while before > 0 and not lines[before - 1].strip():
        before -= 1
    found = _REMARK.fullmatch(lines[before - 1]) if before > 0 else None
    return found[1] if found else ""


def _commands(lines: tuple[str, ...], language: str) -> Iterator[str]:
    command = ""
    for line in lines:
        if not command:
            if language == "console":
                if not line.startswith(PROMPT):
                    continue
                line = line.removeprefix(PROMPT)
            elif language not in ("", "sh", "bash") or line.split(" ")[0] not in TYPED:
                continue
        command = f"{command}{line}"
        if command.endswith(("\\", "|")):
            command = command.removesuffix("\\")
            continue
        yield _COMMENT.sub("", command)
        command = ""
