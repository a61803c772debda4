"""Every command on every page of the documentation is typed, as a reader types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from house import ROOT
from page_commands import (
    BY_OTHERS,
    WHY_NOT,
    PageCommand,
    missing_tool,
    page_commands,
    prepare,
    typed_again,
)

COMMANDS = page_commands()
EVERY = [command for commands in COMMANDS.values() for command in commands]
TYPED = [page for page, commands in COMMANDS.items() if any(each.is_typed for each in commands)]


def test_there_are_commands_on_many_pages() -> None:
    assert {"README.md", "docs/tutorial.md", "docs/lessons/tcp.md"} <= set(TYPED)
    assert len(EVERY) > 150


def test_what_is_typed_by_another_test_is_so_by_one_that_is_there() -> None:
    for command in EVERY:
        assert not command.by or (ROOT / command.by).is_file(), command
    for page, test in BY_OTHERS.items():
        if page.startswith("docs/"):
            assert page in (ROOT / test).read_text("utf-8")


def test_what_no_test_types_is_excepted_with_a_reason() -> None:
    excepted = [command for command in EVERY if command.why_not]
    assert all(len(command.why_not) > 5 for command in excepted)
    beside_the_synopsis = [each for each in excepted if each.page != "docs/command.md"]
    assert len(beside_the_synopsis) < len(EVERY) / 4


@pytest.mark.parametrize("entry", [*WHY_NOT, *BY_OTHERS])
def test_no_exception_is_left_over(entry: str) -> None:
    listed = [each for each in EVERY if entry == each.page or each.text.startswith(entry)]
    assert listed


def test_exit_statuses_are_read_from_the_remark() -> None:
    (loss,) = (
        each
        for each in COMMANDS["docs/lessons/loss-syn.md"]
        if "tcp_syn_linear_timeouts" in each.text
    )
    assert loss.statuses == (1, 2)
    assert COMMANDS["README.md"][0].statuses == (0,)


@pytest.mark.kernel
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", TYPED)
def test_the_commands_of_a_page_do_what_they_say(page: str, tmp_path: Path) -> None:
    prepare(tmp_path, COMMANDS[page])
    skipped: list[PageCommand] = []
    for command in COMMANDS[page]:
        if command.is_typed and missing_tool(command.text):
            skipped.append(command)
        elif command.is_typed:
            printed, status = typed_again(command.text, tmp_path)
            assert status in command.statuses, f"{command.text}\n{printed}"
    if len(skipped) == sum(each.is_typed for each in COMMANDS[page]):
        pytest.skip(f"not installed: {', '.join({missing_tool(each.text) for each in skipped})}")
