from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.model.program import Listening, Program, Step, demo

WORDS = {"python": "/usr/bin/python3", "server": "198.51.100.2", "family": "4"}


def expanded(*argv: str) -> tuple[str, ...]:
    return Program("p", "client", argv).expanded(WORDS).argv


def test_words_are_replaced_wherever_they_are() -> None:
    assert expanded("{python}", "-4", "[{server}]:80", "{family}{family}") == (
        "/usr/bin/python3",
        "-4",
        "[198.51.100.2]:80",
        "44",
    )


def test_doubled_braces_are_braces() -> None:
    assert expanded("{{server}}") == ("{server}",)


def test_all_else_stays_as_it_was() -> None:
    program = Program("p", "client", ("{python}",), signals_ready=True, deadline_s=2.5)
    done = program.expanded(WORDS)
    assert done == Program("p", "client", ("/usr/bin/python3",), True, 2.5)


@pytest.mark.parametrize(
    "argument",
    ["{srever}", "{}", "{0}", "{server", "server}", "{server.x}", "{server[x]}", "{server[99]}",
     "{server:d}", "{server!z}", "{server!r}", "{server:>9}"],
)  # fmt: skip
def test_an_unknown_word_is_the_authors_mistake(argument: str) -> None:
    with pytest.raises(UsageError, match="program p: unknown placeholder") as error:
        expanded("{python}", argument)
    assert repr(argument) in str(error.value)


def test_a_demo_is_a_page_beside_the_file_that_names_it() -> None:
    program = demo("a_server", on="server", args=["{server}", 4242], ready=True)
    page = str(Path(__file__).parent / "demos" / "a_server.py")
    assert program == Program(
        "server", "server", ("{python}", "-IS", page, "{server}", "4242"), signals_ready=True
    )


def test_a_demo_that_needs_packages_is_not_kept_from_them() -> None:
    program = demo("by_hand", on="client", name="hand", capabilities=("CAP_X",), packages=True)
    assert (program.name, program.argv[1], program.capabilities) == ("hand", "-P", ("CAP_X",))


def test_a_demos_folder_may_have_braces_in_its_name() -> None:
    here = {"demo": demo, "__file__": "/a{b}/scenario.py"}
    (program,) = (eval("demo('x', on='h')", here),)
    assert program.expanded({"python": "p"}).argv[2] == "/a{b}/demos/x.py"


def test_a_demos_words_are_a_list() -> None:
    with pytest.raises(UsageError, match=r"args is a list of words, such as \['4242'\]"):
        demo("x", on="h", args="4242")


def test_a_patient_step_gives_programs_more_time_and_never_less() -> None:
    listens = Listening(80, deadline_s=5.0)
    programs = (
        Program("a", "a", ("x",), deadline_s=4.0, listens=listens),
        Program("b", "b", ("x",), deadline_s=90.0),
    )
    one, other = Step("talk", programs).patient(60.0).programs
    assert one.listens is not None
    assert (one.deadline_s, one.listens.deadline_s, other.deadline_s) == (60.0, 60.0, 90.0)
    assert other.listens is None
