"""Options that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from lab.cli.words import shared


def test_detail_is_either_more_or_less(capsys: pytest.CaptureFixture[str]) -> None:
    command = ArgumentParser()
    shared.add_detail(command)
    assert command.parse_args(["-v"]).verbose
    with pytest.raises(SystemExit):
        command.parse_args(["-v", "-q"])
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("default", ["4", "both"])
def test_each_command_has_its_own_default_of_the_family(default: str) -> None:
    command = ArgumentParser()
    shared.add_family(command, default=default)
    assert command.parse_args([]).family == default
    assert f"(default: {default})" in command.format_help()


def test_what_programs_may_do_may_be_said_again() -> None:
    command = ArgumentParser()
    shared.add_allowed(command)
    options = command.parse_args(
        ["--writable", "a", "--writable", "b", "--socket", "c", "--cap", "net_raw", "--as", "me"]
    )
    assert (options.writable, options.socket, options.user) == (["a", "b"], ["c"], "me")
    assert options.cap == ["CAP_NET_RAW"]
    assert not options.host_files


def test_what_may_be_said_again_is_not_shared_by_two_lines() -> None:
    command = ArgumentParser()
    shared.add_conditions(command)
    assert command.parse_args(["--wire", "x"]).wire == ["x"]
    assert command.parse_args([]).wire == []
