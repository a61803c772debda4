"""The navigation leads to every page once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.errors import UsageError
from site_pages.nav import LESSONS, SECTIONS, Section, navigation

GROUPS = {"sockets": ["lessons/tcp.md"]}


def entries(sections: tuple[object, ...] = SECTIONS) -> Iterator[str]:
    for entry in sections:
        if isinstance(entry, Section):
            yield from entries(entry.entries)
        elif isinstance(entry, tuple):
            yield entry[1]


NAMED = [path for path in entries() if "*" not in path]
PAGES = [*NAMED, "lessons/tcp.md", "decisions/why.md"]


def paths(made: object) -> Iterator[str]:
    if isinstance(made, str):
        yield made
    elif isinstance(made, list):
        for each in made:
            yield from paths(each)
    elif isinstance(made, dict):
        for each in made.values():
            yield from paths(each)


def test_every_page_is_led_to_once() -> None:
    found = [*paths(navigation(PAGES, GROUPS))]
    assert sorted(found) == sorted(PAGES)


def test_a_page_that_no_entry_names_is_among_the_others() -> None:
    made = navigation([*PAGES, "new.md"], GROUPS)
    (more,) = (entry for entry in made if "More" in entry)
    assert more == {"More": ["new.md"]}


def test_an_entry_without_a_page_is_refused() -> None:
    with pytest.raises(UsageError, match=r"names what is no page: wire\.md"):
        navigation([page for page in PAGES if page != "wire.md"], GROUPS)


def test_a_page_that_no_entry_leads_to_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no entry .* leads to far/off\.md"):
        navigation([*PAGES, "far/off.md"], GROUPS)


def test_a_page_that_two_entries_lead_to_is_refused() -> None:
    groups = {**GROUPS, "faults": ["wire.md"]}
    with pytest.raises(UsageError, match=r"more than once to wire\.md"):
        navigation(PAGES, groups)


def test_each_group_of_scenarios_has_a_section() -> None:
    from lab.scenario_files import builtin_scenarios

    folders = {path.parent.name for path in builtin_scenarios().values()}
    groups = {"sockets" if folder == "scenarios" else folder for folder in folders}
    patterns = {LESSONS.format(group=group) for group in groups}

    def strings(sections: tuple[object, ...]) -> Iterator[str]:
        for entry in sections:
            if isinstance(entry, Section):
                yield from strings(entry.entries)
            elif isinstance(entry, str):
                yield entry

    assert patterns <= set(strings(SECTIONS))
