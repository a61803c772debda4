"""Where scenarios are: wirelab's own, those of a folder, and any file; and their loading.

A scenario is one Python file that names a Scenario `SCENARIO`; its demos lie in the folder
`demos` beside it, or beside its folder. It is loaded by its path: neither its folder nor the
current directory gets into sys.path, so that no module of theirs takes another's place.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path

from lab.errors import UsageError, did_you_mean

TYPE_CHECKING = False  # as typing has it; the sandbox starts before a scenario is made of anything
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from lab.model.scenario import Scenario
    from lab.model.topology import Topology

FOLDER = "scenarios"
"""The folder in the current directory whose scenarios have names as well."""

MAKER = "scenario"
"""The function in a scenario's file that makes it of parameters, each with a default."""

DEMOS = "demos"
"""The folder of the programs beside a scenario."""

BESIDE_THE_LABS = "my_scenarios"
"""The same, where `scenarios` in the current directory is wirelab's own."""

MADE_BY_A_PROGRAM = "-"
"""The source, in a recording, of a scenario that no file has."""


def builtin_folder() -> Path:
    """The folder of wirelab's own scenarios: in the package where it is installed, or beside it.

    Raises UsageError where it is in neither place.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / FOLDER, package.parent / FOLDER):
        if folder.is_dir():
            return folder
    raise UsageError(f"the scenarios folder is neither in {package} nor beside it")


def builtin_scenarios() -> dict[str, Path]:
    """By name, in order, wirelab's own scenarios, those in its folders of scenarios as well."""
    folder = builtin_folder()
    found = _named(folder)
    for inside in folder.iterdir():
        if inside.is_dir() and inside.name != DEMOS:
            found |= _named(inside)
    return dict(sorted(found.items()))


def own_folder() -> Path:
    """The folder in the current directory that scenarios of one's own lie in, made or not."""
    here = Path(FOLDER)
    if here.is_dir() and here.samefile(builtin_folder()):
        return Path(BESIDE_THE_LABS)
    return here


def own_scenarios(folder: str = "") -> dict[str, Path]:
    """By name, the scenarios of a folder; of `own_folder` if it is "".

    Of that folder, which nobody named, only files count that speak of a SCENARIO. Raises
    UsageError where the folder named is none.
    """
    if folder:
        if not Path(folder).is_dir():
            raise UsageError(f"there is no folder of scenarios {folder}")
        return _named(Path(folder))
    found = _named(own_folder())
    return {name: path for name, path in found.items() if _has_scenario(path)}


def find_scenario(wanted: str, folder: str = "") -> Path:
    """The file of a scenario: `wanted` is a path with a "/" or ".py", or a name.

    A name is looked for in `folder`, which wins, since it was asked for, then among wirelab's
    own. Without `folder` the current directory's `own_folder` adds names, but takes none: one
    that is in both places is an error. Raises UsageError, with the names there are.
    """
    if os.sep in wanted or wanted.endswith(".py"):
        path = Path(wanted)
        if not path.is_file():
            raise UsageError(f"there is no scenario file {wanted}")
        return path.absolute()
    own, builtin = own_scenarios(folder), builtin_scenarios()
    if wanted in own and wanted in builtin and not folder:
        raise UsageError(
            f"there are two scenarios {wanted!r}: wirelab's own, and {own[wanted]}; for that one "
            f"say ./{own[wanted]}, or --scenarios {own[wanted].parent}"
        )
    known = builtin | own
    if wanted not in known:
        near = did_you_mean(wanted, known)
        there_are = " There are" if near else "; there are"
        names = ", ".join(sorted(known))
        raise UsageError(f"there is no scenario {wanted!r}{near}{there_are}: {names}")
    return known[wanted].absolute()


def find_recorded(scenario: str, source: str, folder: str = "") -> Path:
    """The file of the scenario that a recording names, with the source that it has.

    That is its source, unless `folder` is given: there the file's name, or the scenario's, is
    looked for, and that one judges. Raises UsageError where it is not to be found.
    """
    advice = "say where a folder has it: wirelab replay DIR --scenarios FOLDER"
    if folder:
        return find_scenario(_name(Path(source)) if _is_file(source) else scenario, folder)
    if not source:
        builtin = builtin_scenarios()
        if scenario not in builtin:
            raise UsageError(f"there is no scenario {scenario!r} of wirelab's own any more")
        return builtin[scenario]
    if not _is_file(source):
        raise UsageError(
            f"the scenario {scenario!r} was made by a Python program, and no file has it: judge it "
            f"there, by lab.api.replay(folder, scenario), or {advice}"
        )
    if not Path(source).is_file():
        raise UsageError(f"the scenario {scenario!r} was in {source}, which is gone; {advice}")
    return Path(source)


def source_of(path: Path) -> str:
    """A scenario's file as it is recorded; "" for one of wirelab's own."""
    return "" if path in builtin_scenarios().values() else str(path)


def _is_file(source: str) -> bool:
    return source not in ("", MADE_BY_A_PROGRAM)


def load_scenario(path: Path, own: Mapping[str, int | float | str] | None = None) -> Scenario:
    """The scenario of a file: its SCENARIO, or what its function `scenario` makes of `own`.

    Raises UsageError with the file, and the line where there is one.
    """
    names = names_in_file(path)
    if own:
        scenario: object = _made(names, path, own)
    elif (scenario := names.get("SCENARIO")) is None:
        raise UsageError(f"{path}: there is no SCENARIO in it")
    from lab.model.scenario import Scenario

    if not isinstance(scenario, Scenario):
        what = f"{MAKER}() makes" if own else "SCENARIO is"
        raise UsageError(f"{path}: {what} no Scenario")
    return scenario


def own_parameters(path: Path) -> dict[str, int | float | str]:
    """By name, with their defaults, what the file's function `scenario` takes; none without one.

    Raises UsageError.
    """
    make = names_in_file(path).get(MAKER)
    if not callable(make):
        return {}
    from inspect import signature

    found: dict[str, int | float | str] = {}
    for parameter in signature(make).parameters.values():
        if type(parameter.default) not in (int, float, str):
            raise UsageError(
                f"{path}: {MAKER}() has a parameter {parameter.name!r} whose default is no number "
                "and no text"
            )
        found[parameter.name] = parameter.default
    return found


def _made(names: Mapping[str, object], path: Path, own: Mapping[str, object]) -> object:
    make = names.get(MAKER)
    if not callable(make):
        raise UsageError(f"{path}: there is no function {MAKER} in it, which takes parameters")
    try:
        return make(**own)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    except Exception as error:
        words = ", ".join(f"{name}={value!r}" for name, value in own.items())
        raise UsageError(
            f"{path}: {MAKER}({words}) fails: {type(error).__name__}: {error}"
        ) from None


def topology_called(text: str) -> Topology:
    """A network by what a person calls it: "star:3" or "two", or a Python file with one.

    Of the file it is TOPOLOGY, or its SCENARIO's; a path has a "/" or ends in ".py".
    Raises UsageError, for a file with the line where there is one.
    """
    if os.sep not in text and not text.endswith(".py"):
        from lab.model.shapes import shape_called

        return shape_called(text)
    path = Path(text)
    if not path.is_file():
        raise UsageError(f"there is no file {text}")
    from lab.model.scenario import Scenario
    from lab.model.topology import Topology

    names = names_in_file(path.absolute())
    found = names.get("TOPOLOGY", names.get("SCENARIO"))
    if isinstance(found, Scenario):
        return found.topology
    if not isinstance(found, Topology):
        raise UsageError(f"{path}: there is no TOPOLOGY in it that is a Topology, and no SCENARIO")
    return found


def names_in_file(path: Path) -> dict[str, object]:
    """The names that a Python file defines. Raises UsageError."""
    name = f"wirelab scenario {path}"  # no import statement can name it
    loader = _Loader(name, str(path))
    module = module_from_spec(ModuleSpec(name, loader, origin=str(path)))
    module.__file__ = str(path)
    # As any import does, and for dataclasses, which look their module up.
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except SyntaxError as error:
        raise UsageError(f"{path}, line {error.lineno}: {error.msg}") from None
    except UsageError as error:
        raise UsageError(f"{path}{_line(path, error.__traceback__)}: {error}") from None
    except Exception as error:
        # Whatever its author's code may raise: the file cannot be loaded.
        what = f"{type(error).__name__}: {error}"
        where = _line(path, error.__traceback__)
        raise UsageError(f"{path}{where}: cannot be loaded: {what}") from None
    return vars(module)


class _Loader(SourceFileLoader):
    """Reads bytecode that is there, and writes none: under sudo it would be root's."""

    def set_data(self, path: str, data: object, *, _mode: int = 0o666) -> None:
        """Nothing is written."""


def _named(folder: Path) -> dict[str, Path]:
    """By name, the scenarios of a folder: my_own.py is my-own."""
    files = {_name(path): path for path in folder.glob("[!_.]*.py")}
    return dict(sorted(files.items()))


def _name(path: Path) -> str:
    return path.stem.replace("_", "-")


def _has_scenario(path: Path) -> bool:
    try:
        return b"SCENARIO" in path.read_bytes()
    except OSError:
        return False


def _line(path: Path, traceback: TracebackType | None) -> str:
    """The last line of the file that a traceback leads through, as ", line 3", or ""."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return "" if line is None else f", line {line}"
