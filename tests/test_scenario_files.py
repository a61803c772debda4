"""Scenarios found by name and by path, and loaded; what their files may do wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from house import ROOT

from lab.errors import UsageError
from lab.model.shapes import star
from lab.scenario_files import (
    MADE_BY_A_PROGRAM,
    builtin_folder,
    builtin_scenarios,
    find_recorded,
    find_scenario,
    load_scenario,
    own_folder,
    own_parameters,
    own_scenarios,
    source_of,
    topology_called,
)

TEACHERS = ROOT / "tests" / "support" / "teacher"
MADE = """\
from lab.api import Scenario, Step, demo, two_hosts

SCENARIO = Scenario("{name}", "made here", two_hosts(), (Step("s", (demo("x", on="client"),)),), ())
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a folder `scenarios`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    return tmp_path


def made(path: Path, name: str = "mine") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(MADE.format(name=name))
    return path


def test_the_labs_own_scenarios_are_found_beside_it() -> None:
    assert builtin_folder() == ROOT / "scenarios"
    assert {"tcp", "unix-types"} <= set(builtin_scenarios())
    assert find_scenario("unix-types") == ROOT / "scenarios" / "unix_types.py"
    assert find_scenario("loss-syn") == ROOT / "scenarios" / "faults" / "loss_syn.py"
    assert find_scenario("nat") == ROOT / "scenarios" / "networks" / "nat.py"
    assert all(load_scenario(path).name == name for name, path in builtin_scenarios().items())


def test_a_path_is_a_file_and_needs_no_folder_of_that_name(here: Path) -> None:
    file = made(here / "mine.py")
    assert find_scenario("mine.py") == find_scenario("./mine.py") == file
    scenario = load_scenario(find_scenario("mine.py"))
    assert scenario.name == "mine"
    assert scenario.steps[0].programs[0].argv[2] == str(here / "demos" / "x.py")


def test_a_folder_of_the_current_directory_adds_names(here: Path) -> None:
    file = made(here / "scenarios" / "my_own.py")
    assert own_scenarios() == {"my-own": Path("scenarios/my_own.py")}
    assert find_scenario("my-own") == file
    assert find_scenario("tcp") == ROOT / "scenarios" / "tcp.py"


def test_what_has_no_scenario_in_it_does_not_count_where_nobody_named_the_folder(
    here: Path,
) -> None:
    (here / "scenarios" / "tcp.py").write_text("print('another tool's')\n")
    assert own_scenarios() == {}
    assert find_scenario("tcp") == ROOT / "scenarios" / "tcp.py"
    assert set(own_scenarios("scenarios")) == {"tcp"}


def test_a_folder_that_was_named_wins(here: Path) -> None:
    file = made(here / "others" / "tcp.py")
    assert find_scenario("tcp", "others") == file
    assert find_scenario("udp", "others") == ROOT / "scenarios" / "udp.py"
    assert find_scenario("tcp") == ROOT / "scenarios" / "tcp.py"


def test_a_name_that_was_taken_by_chance_is_refused(here: Path) -> None:
    file = made(here / "scenarios" / "tcp.py")
    with pytest.raises(UsageError, match=r"two scenarios 'tcp'.* say \./scenarios/tcp\.py, or"):
        find_scenario("tcp")
    assert find_scenario("./scenarios/tcp.py") == find_scenario("tcp", "scenarios") == file


def test_beside_the_labs_own_folder_scenarios_of_ones_own_have_another(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_folder() == Path("scenarios")
    made(here / "scenarios" / "tcp.py")
    monkeypatch.setattr("lab.scenario_files.builtin_folder", lambda: here / "scenarios")
    assert own_folder() == Path("my_scenarios")
    assert own_scenarios() == {}
    mine = made(here / "my_scenarios" / "mine.py")
    assert own_scenarios() == {"mine": Path("my_scenarios/mine.py")}
    assert set(builtin_scenarios()) == {"tcp"}
    assert find_scenario("mine") == mine


@pytest.mark.parametrize(
    ("wanted", "folder", "said"),
    [
        ("tpc", "", "there is no scenario 'tpc'; did you mean 'tcp'? There are: {names}"),
        ("xyz", "", "there is no scenario 'xyz'; there are: {names}"),
        ("./absent.py", "", "there is no scenario file ./absent.py"),
        ("absent/", "", "there is no scenario file absent/"),
        ("tcp", "absent", "there is no folder of scenarios absent"),
    ],
)
def test_what_is_not_there_is_reported(here: Path, wanted: str, folder: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        find_scenario(wanted, folder)
    assert said.format(names=", ".join(builtin_scenarios())) in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (\n", ", line 1: '(' was never closed"),
        ("\nimport nothere\n", ", line 2: cannot be loaded: ModuleNotFoundError: No module named"),
        ("def f():\n    1 / 0\n\nf()\n", ", line 2: cannot be loaded: ZeroDivisionError: "),
        ("from lab.api import two_hosts\nfrom lab.api import demo\ndemo('x', on='h', args='y')\n",
         ", line 3: demo x: args is a list of words"),
        ("SCENARIO = 3\n", ": SCENARIO is no Scenario"),
        ("", ": there is no SCENARIO in it"),
        ("\0", ": cannot be loaded: "),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_loaded_is_reported_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(UsageError) as error:
        load_scenario(file)
    assert str(error.value).startswith(f"{file}{said}")


def test_loading_leaves_nothing_but_the_scenario(here: Path) -> None:
    paths = list(sys.path)
    file = made(here / "mine.py")
    (here / "beside.py").write_text("x = 1\n")
    load_scenario(file)
    assert sys.path == paths
    assert {path.name for path in here.iterdir()} == {"mine.py", "beside.py", "scenarios"}
    file.write_text("import beside\n" + MADE)
    with pytest.raises(UsageError, match="No module named 'beside'"):
        load_scenario(file)


def test_a_file_that_has_changed_is_loaded_again(here: Path) -> None:
    file = made(here / "mine.py", "before")
    assert load_scenario(file).name == "before"
    made(file, "after")
    assert load_scenario(file).name == "after"


def test_a_recording_is_judged_by_the_file_that_it_names(here: Path) -> None:
    file = made(here / "mine.py", "other-name")
    assert source_of(file) == str(file)
    assert find_recorded("other-name", str(file)) == file
    assert find_recorded("tcp", "") == ROOT / "scenarios" / "tcp.py"
    assert source_of(find_scenario("tcp")) == ""


def test_a_folder_that_was_named_judges_instead(here: Path) -> None:
    theirs, ours = made(here / "mine.py"), made(here / "others" / "mine.py")
    assert find_recorded("other-name", str(theirs), "others") == ours
    assert find_recorded("mine", MADE_BY_A_PROGRAM, "others") == ours
    assert find_recorded("tcp", "", "others") == ROOT / "scenarios" / "tcp.py"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/nowhere/mine.py", "was in /nowhere/mine.py, which is gone; say where a folder has it"),
        (MADE_BY_A_PROGRAM, "was made by a Python program, and no file has it"),
        ("", "there is no scenario 'mine' of wirelab's own any more"),
    ],
)
def test_a_scenario_that_is_gone_is_reported(here: Path, source: str, said: str) -> None:
    made(here / "scenarios" / "mine.py")
    with pytest.raises(UsageError) as error:
        find_recorded("mine", source)
    assert said in str(error.value)


def test_a_teachers_scenario_is_short_and_imports_the_front_door_alone() -> None:
    text = (TEACHERS / "relayed.py").read_text("utf-8")
    assert len(text.splitlines()) <= 40
    imports = [line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))]
    assert all(name == "lab.api" or name.startswith("lab.checks.") for name in imports)


def test_the_scenario_that_the_documentation_shows_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
    shown, check = (block.partition("```")[0] for block in text.split("```python\n")[1:3])
    imports = "from lab.api import Timeline, Verdict, broken, claim, holds\n"
    (tmp_path / "hello.py").write_text(
        f"{imports}{check}{shown}".replace("claims=(", "claims=(answers_in_capitals, ")
    )
    scenario = load_scenario(tmp_path / "hello.py")
    assert [claim.id for claim in scenario.claims] == [
        "hello-answers-in-capitals",
        "hello-opens",
        "hello-bytes",
    ]


def test_a_network_is_called_by_its_shape_or_is_in_a_file(here: Path) -> None:
    (here / "net.py").write_text("from lab.api import star\n\nTOPOLOGY = star(4)\n")
    assert topology_called("star:4") == topology_called("net.py") == topology_called("./net.py")
    assert topology_called(str(made(here / "mine.py"))).hosts == ("client", "server")


def test_a_network_goes_before_the_scenario_of_the_same_file(here: Path) -> None:
    path = made(here / "mine.py")
    path.write_text(f"{path.read_text()}\nfrom lab.api import star\n\nTOPOLOGY = star(2)\n")
    assert topology_called("mine.py") == star(2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TOPOLOGY = 'star:3'", "net.py: there is no TOPOLOGY in it that is a Topology"),
        ("", "net.py: there is no TOPOLOGY in it"),
        ("from lab.api import star\n\nTOPOLOGY = star(0)", "net.py, line 3: "),
        ("TOPOLOGY = (", "net.py, line 1: "),
    ],
)
def test_a_file_without_a_network_says_so(here: Path, text: str, said: str) -> None:
    (here / "net.py").write_text(text)
    with pytest.raises(UsageError, match=said):
        topology_called("net.py")


def test_a_file_of_a_network_that_there_is_not_is_an_error(here: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file other\.py"):
        topology_called("other.py")


OF_ITS_OWN = """\
from lab.api import Scenario, Step, demo, star

def scenario(hosts=2, share=0.5, name="mine"):
    return Scenario(name, "made here", star(hosts), (Step("s", (demo("x", on="h1"),)),), ())

SCENARIO = scenario()
"""


def test_a_file_may_make_its_scenario_of_parameters_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OF_ITS_OWN)
    assert own_parameters(path) == {"hosts": 2, "share": 0.5, "name": "mine"}
    assert len(load_scenario(path).topology.hosts) == 3
    larger = load_scenario(path, {"hosts": 5, "name": "five"})
    assert (larger.name, len(larger.topology.hosts)) == ("five", 6)
    assert own_parameters(made(tmp_path / "plain.py")) == {}


@pytest.mark.parametrize(
    ("text", "own", "said"),
    [
        ("def scenario(hosts): ...", None, "a parameter 'hosts' whose default is no number"),
        ("def scenario(hosts=None): ...", None, "a parameter 'hosts' whose default is no number"),
        ("SCENARIO = 1", {"hosts": 1}, "there is no function scenario in it"),
        ("def scenario(hosts=1): return hosts", {"hosts": 1}, "scenario() makes no Scenario"),
        ("def scenario(hosts=1): 1 / 0", {"hosts": 1}, "scenario(hosts=1) fails: ZeroDivision"),
    ],
)
def test_what_is_wrong_with_such_a_function_is_said(
    text: str, own: dict[str, int | float | str] | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        if own is None:
            own_parameters(path)
        else:
            load_scenario(path, own)
    assert said in str(caught.value)
