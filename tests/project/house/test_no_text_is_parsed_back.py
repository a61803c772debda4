"""Analysis, checks and reports pass values on: they read back no text that the lab itself made.

What takes text apart is found by its name, whatever it is called on: the tests cannot know a
type. What a program printed, a kernel said or a person wrote may be read, in the places listed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from house import FILES, nodes_of, room_of, tree_of

ROOMS = ("analysis", "checks", "ladder", "report", "study")

METHODS = frozenset((
    "split", "rsplit", "splitlines", "partition", "rpartition", "startswith", "endswith",
    "removeprefix", "removesuffix", "strip", "lstrip", "rstrip", "find", "rfind", "rindex",
    "isdigit", "isnumeric", "isdecimal",
))  # fmt: skip
"""Of str: they take a text apart, or ask how it begins or ends."""

PARSERS = ("re", "ast", "shlex.split", "json.loads")
"""Modules and functions that read text."""

BYTES = frozenset({"data", "payload"})
"""Names of bytes: of packets, of memory, of what programs sent and read."""

PRINTED = "what a demo printed of its calls"
CONTENT = "what a demo read, as it printed it"

MAY: dict[tuple[str, str], str] = {
    ("lab.analysis.calls.constants", "_names"): "the tables of names, as the source has them",
    ("lab.analysis.calls.constants", ""): "the table of errors, as the source has it",
    ("lab.analysis.calls.epoll", "machine_of"): "what uname(2) said",
    ("lab.analysis.calls.transcript", ""): PRINTED,
    ("lab.analysis.calls.transcript", "parse_transcript"): PRINTED,
    ("lab.analysis.calls.transcript", "_parse_arguments"): PRINTED,
    ("lab.analysis.calls.transcript", "_value"): PRINTED,
    ("lab.analysis.key_logs", ""): "what a program's TLS library wrote",
    ("lab.analysis.key_logs", "key_log_lines"): "what a program's TLS library wrote",
    ("lab.analysis.packets.headers", "ethernet"): "a key of a dictionary",
    ("lab.analysis.packets.scapy_import", "import_scapy_layers"): "a key of sys.modules",
    ("lab.analysis.select.filter", "_Parser"): "the words that a person wrote",
    ("lab.analysis.select.filter", "_port"): "the words that a person wrote",
    ("lab.analysis.select.filter", "_number"): "the words that a person wrote",
    ("lab.analysis.select.filter", "_moment"): "the words that a person wrote",
    ("lab.analysis.select.frame_numbers", "parse_frame_numbers"): "what a person wrote",
    ("lab.analysis.select.frame_numbers", "_range"): "what a person wrote",
    ("lab.checks.buffers", "opens_once_the_peer_comes"): PRINTED,
    ("lab.checks.buffers", "_ways"): PRINTED,
    ("lab.checks.types", "_answers"): PRINTED,
    ("lab.checks.types", "_cell"): PRINTED,
    ("lab.checks.unix.streams", "_path"): PRINTED,
    ("lab.checks.unix.types", "needs_a_connection"): "a set of the names of calls",
    ("lab.checks.unix.types", "_descriptors"): PRINTED,
    ("lab.report.capture.unix_packets", ""): "what the bytes of a program begin with",
    ("lab.report.study.anki", "as_html"): "what a card marks as code",
    ("lab.report.study.cards_markdown", ""): "what Markdown takes for its own",
    ("lab.report.study.cards_markdown", "_escaped"): "what a card marks as code",
    ("lab.report.study.pdf", "print_page"): "what a browser said",
    ("lab.report.grades.wording", "paragraphs"): "what a teacher wrote",
    ("lab.report.grades.csv_file", ""): "what a spreadsheet takes a part of a cell for",
    ("lab.report.terminal.page", "Page"): "the encoding's name, as the terminal has it",
    ("lab.report.terminal.pager", "paged"): "the pager's command, as the user has it",
    ("lab.report.terminal.programs", "draw_programs"): "what a program printed, line by line",
    ("lab.report.terminal.programs", "draw_failed"): "what a program printed, line by line",
    ("lab.report.terminal.programs", "_draw_end"): "what a program printed, line by line",
    ("lab.report.terminal.source", "draw_source"): "a line of a program's source",
    ("lab.study.quiz", "answers"): "what a person typed",
    ("lab.study.quiz", "how_to_answer"): "what a person typed",
    ("lab.study.quiz", "_state"): "what a person typed",
    ("lab.study.quiz", "_flags"): "what a person typed",
}
"""By module, and function or class, why it may read a text."""


def faults(text: str) -> Iterator[tuple[str, str]]:
    """Where text is read: the function or class, "" outside of any, and how."""
    nodes = nodes_of(text)
    found = {node: how for node in nodes if (how := _how(node))}
    if found:
        for statement in tree_of(text).body:
            name = getattr(statement, "name", "")
            yield from ((name, found[node]) for node in ast.walk(statement) if node in found)


def _how(node: ast.AST) -> str:
    """How a node reads text; "" where it does not."""
    match node:
        case ast.Call(ast.Attribute(owner, name), arguments):
            called = _dotted(node.func)
            if any(called == each or called.startswith(f"{each}.") for each in PARSERS):
                return f"{called}()"
            if name in METHODS and not _is_bytes(owner, arguments):
                return f".{name}()"
        case ast.Compare(ast.Constant(str() as part), [ast.In() | ast.NotIn()], [whole]):
            if not _is_container(whole):
                return f"{part!r} in"
    return ""


def _dotted(called: ast.expr) -> str:
    """A name with its dots, "" of anything else."""
    match called:
        case ast.Name(name):
            return name
        case ast.Attribute(owner, name) if whole := _dotted(owner):
            return f"{whole}.{name}"
    return ""


def _is_bytes(owner: ast.expr, arguments: list[ast.expr]) -> bool:
    name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    given = [each.value for each in arguments if isinstance(each, ast.Constant)]
    return name in BYTES or any(isinstance(each, bytes) for each in given)


def _is_container(whole: ast.expr) -> bool:
    """A literal, a constant of the module, or the arguments of a printed call: a tuple."""
    if isinstance(whole, ast.Name):
        return whole.id.strip("_").isupper()
    if isinstance(whole, ast.Attribute):
        return whole.attr == "arguments"
    return isinstance(whole, ast.Tuple | ast.List | ast.Set | ast.Dict)


IN_THESE_ROOMS = [name for name in FILES if room_of(name).partition("/")[0] in ROOMS]


def test_no_text_is_read_but_where_the_list_has_a_reason() -> None:
    assert IN_THESE_ROOMS
    found = [(m, *each) for m in IN_THESE_ROOMS for each in faults(FILES[m].read_text("utf-8"))]
    assert [(m, place, how) for m, place, how in found if (m, place) not in MAY] == []


def test_the_list_has_nothing_that_is_not_there() -> None:
    there = {(m, place) for m in IN_THESE_ROOMS for place, _ in faults(FILES[m].read_text("utf-8"))}
    assert set(MAY) - there == set()


@pytest.mark.parametrize(
    "text",
    [
        "number = int(event.rpartition(' ')[2])",
        "number = call.id.split('#')[1]",
        "def f(flow):\n    return flow.startswith('udp')",
        "def f(point):\n    return point.endswith('/lo')",
        "class A:\n    def f(self):\n        return self.mark.removeprefix('f3 ')",
        "text = title.partition(':')[0]",
        "is_null = argument.text.strip() == 'NULL'",
        "import re\nnumber = re.search('[0-9]+', event)",
        "import re\nnumber = re.compile('[0-9]+').search(event)",
        "import json\ndocument = json.loads(report)",
        "is_ptrace = any('ptrace' in instrument for instrument in instruments)",
        "peeks = 'MSG_PEEK' not in argument(call, 'flags')",
        "is_program = event.isdigit()",
    ],
)
def test_reading_a_text_is_found(text: str) -> None:
    assert [*faults(text)]


@pytest.mark.parametrize(
    "text",
    [
        "found = crossing.packet.payload.startswith(call.data)",
        "name = raw.split(b'\\0', 1)[0]",
        "given = 'SO_TYPE' in call.arguments",
        "is_send = 'send' in SENDS",
        "is_open = name in ('open', 'openat')",
        "text = ', '.join(map(str, evidence))",
        "escaped = text.replace('%', '%25')",
        "import shlex\nline = shlex.join(argv)",
    ],
)
def test_what_makes_text_or_reads_bytes_is_no_fault(text: str) -> None:
    assert [*faults(text)] == []
