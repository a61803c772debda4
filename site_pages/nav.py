"""Where in the site each page is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from lab.errors import UsageError
from lab.frozen import frozen


@frozen
class Section:
    """A heading of the navigation, and what stands below it."""

    title: str
    entries: tuple[str | tuple[str, str] | Section, ...]
    """Pages, by their path or with a short title before it; patterns of paths; sections."""


LESSONS = "lessons/{group}"
"""Stands for the scenarios' pages of one group."""

SECTIONS: tuple[str | tuple[str, str] | Section, ...] = (
    ("Start", "index.md"),
    Section(
        "Learn",
        (
            ("Ten minutes", "tutorial.md"),
            ("Installing it", "install.md"),
            ("The scenarios", "lessons.md"),
            Section("Sockets", (LESSONS.format(group="sockets"),)),
            Section("Networks", (LESSONS.format(group="networks"),)),
            Section("TCP connections", (LESSONS.format(group="connections"),)),
            Section("Faults on the wire", (LESSONS.format(group="faults"),)),
            ("Notes on TCP segments", "notes.md"),
            ("Words", "glossary.md"),
            ("Questions", "faq.md"),
        ),
    ),
    Section(
        "Your programs",
        (
            ("Your own programs", "ad-hoc-runs.md"),
            ("Write a scenario", "scenarios.md"),
            ("Networks", "networks.md"),
            ("The wire", "wire.md"),
            ("What you expect", "expect.md"),
            ("Under pytest", "pytest.md"),
            ("A prompt in a network", "shell.md"),
            ("The wire, stepped by hand", "step.md"),
            ("Settings of the kernel", "sysctls.md"),
            ("What programs may do", "isolation.md"),
            ("Your server in CI", "ci-your-server.md"),
            ("Sweeps", "sweep.md"),
            ("How cost grows", "scale.md"),
        ),
    ),
    Section(
        "What is seen",
        (
            ("Causes", "causes.md"),
            ("Each cause, with a run", "causes-seen.md"),
            ("report.html", "html.md"),
            ("How calls are seen", "tracing.md"),
            ("Source lines", "source.md"),
            ("What kernels count", "counters.md"),
            ("What kernels hold", "held.md"),
            ("TLS", "tls.md"),
            ("Unix sockets in Wireshark", "unix-packets.md"),
            ("Perfetto", "perfetto.md"),
            ("Capture files", "capture-files.md"),
            ("Large captures as tables", "large-captures.md"),
        ),
    ),
    Section(
        "In class",
        (
            ("Four sessions", "instructor.md"),
            ("Lab sheets", "sheets.md"),
            ("Grading captures", "grading.md"),
            ("Captures on Gradescope", "gradescope.md"),
            ("Grading programs", "grading-programs.md"),
            ("What is handed in", "submissions.md"),
            ("Worksheets, quiz, cards", "learning.md"),
        ),
    ),
    Section(
        "Reference",
        (
            ("The command", "command.md"),
            ("What a run leaves", "artifacts.md"),
            ("report.json", "report.md"),
            ("Python", "reference/*.md"),
            ("Platforms", "platforms.md"),
            ("In a virtual machine", "vm.md"),
            ("In CI and containers", "ci.md"),
        ),
    ),
    Section("More", ("*.md",)),
    Section(
        "Develop",
        (
            ("Architecture", "develop/ARCHITECTURE.md"),
            ("Contributing", "develop/CONTRIBUTING.md"),
            ("When instruments lie", "blind.md"),
            ("Tests in a virtual machine", "vm-test.md"),
            Section("Decisions", ("decisions/*.md",)),
        ),
    ),
)


Navigation = list[dict[str, object]]
"""What mkdocs.yml has below `nav`."""


def navigation(pages: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Navigation:
    """What mkdocs gets: every page once, patterns filled with those that no entry names.

    `pages` are those that the site has to lead to, by their paths; `groups` the scenarios' pages
    by group. Raises UsageError for an entry that is no page's, and for a page that none leads to,
    or more than one.
    """
    named = set(_named(SECTIONS))
    made = [*filter(None, (_item(entry, pages, groups, named) for entry in SECTIONS))]
    led_to = [*_paths(made)]
    if absent := [path for path in led_to if path not in pages]:
        raise UsageError(f"site_pages/nav.py names what is no page: {', '.join(absent)}")
    if twice := sorted({path for path in led_to if led_to.count(path) > 1}):
        raise UsageError(f"site_pages/nav.py leads more than once to {', '.join(twice)}")
    if left := [path for path in pages if path not in led_to]:
        raise UsageError(f"no entry of site_pages/nav.py leads to {', '.join(left)}")
    return made


def _named(entries: Sequence[str | tuple[str, str] | Section]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, Section):
            yield from _named(entry.entries)
        elif isinstance(entry, tuple):
            yield entry[1]


def _item(
    entry: str | tuple[str, str] | Section,
    pages: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    named: set[str],
) -> dict[str, object] | None:
    """A section or a page as mkdocs has it; None for a section without pages."""
    if isinstance(entry, tuple):
        title, path = entry
        if "*" not in path:
            return {title: path}
        return _item(Section(title, (path,)), pages, groups, named)
    assert isinstance(entry, Section)
    inside: list[object] = []
    for each in entry.entries:
        if isinstance(each, str):
            inside += _matching(each, pages, groups, named)
        else:
            inside += filter(None, [_item(each, pages, groups, named)])
    return {entry.title: inside} if inside else None


def _matching(
    pattern: str, pages: Sequence[str], groups: Mapping[str, Sequence[str]], named: set[str]
) -> Sequence[str]:
    """The pages of a group, or those of a folder that no other entry names."""
    for group, members in groups.items():
        if pattern == LESSONS.format(group=group):
            return members
    depth = pattern.count("/")
    return [
        page
        for page in pages
        if fnmatchcase(page, pattern) and page.count("/") == depth and page not in named
    ]


def _paths(made: object) -> Iterator[str]:
    if isinstance(made, str):
        yield made
    elif isinstance(made, list):
        for each in made:
            yield from _paths(each)
    elif isinstance(made, dict):
        for each in made.values():
            yield from _paths(each)
