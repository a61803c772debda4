"""Right programs and mutants, graded by the sheets: who gets which hint.

`python -m tests.sheets.matrix` grades all of them, and prints a line for each. A right program has
all points and no hint. A mutant has fewer, and the hint of its own misconception; what other hints
it gets is printed behind.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.grade.mark import Grade
from lab.grade.sheet import Sheet
from lab.grading.kept import read_kept
from lab.grading.sheet_file import load_sheet

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests/support/sheets"))

from mutants import RIGHT, WRONG, mutants_of, solutions_of  # noqa: E402  by the path above

SHEETS = tuple(WRONG)
JOBS = 6
"""Wrong programs are waited for, mostly."""


@dataclass(frozen=True)
class Told:
    """What became of one program."""

    name: str
    wanted: str
    """The misconception that it is to get the hint of; "" of a right program."""
    grade: Grade

    @property
    def misconceptions(self) -> list[str]:
        """Those that it gets the hints of."""
        hints = (hint for mark in self.grade.marks for hint in mark.hints)
        return list(dict.fromkeys(hint.misconception for hint in hints if hint.misconception))

    @property
    def others(self) -> list[str]:
        """Those besides its own."""
        return [name for name in self.misconceptions if name != self.wanted]

    @property
    def is_well(self) -> bool:
        """Whether it gets the hint that it should."""
        has_all = self.grade.score == self.grade.max_score
        if not self.wanted:
            return has_all and not any(mark.hints for mark in self.grade.marks)
        return not has_all and self.wanted in self.misconceptions

    def __str__(self) -> str:
        score = f"{self.grade.score:g}/{self.grade.max_score:g}"
        line = f"{'' if self.is_well else 'NOT '}{self.name}: {score} {' '.join(self.others)}"
        if self.is_well:
            return line.rstrip()
        whys = (f"\n  {mark.check.name}: {mark.why}" for mark in self.grade.marks)
        return line + "".join(whys)


def programs_of(sheet: str, *, mutants: str) -> Iterator[tuple[str, str, str, str]]:
    """Name, end of the file's name, text, and what is wrong with it.

    `mutants` are "every" one, the "first" of each misconception that no solution shows, or "none".
    """
    for file, wrong in (dict.fromkeys(RIGHT[sheet], "") | solutions_of(sheet)).items():
        path = ROOT / file
        yield path.stem, path.suffix, path.read_text("utf-8"), wrong
    seen = {*WRONG[sheet].values()}
    for mutant in mutants_of(sheet) if mutants != "none" else ():
        if mutants == "every" or mutant.misconception not in seen:
            name = str(mutant).replace("/", "_")
            yield f"mutant_{name}", mutant.end, mutant.text(), mutant.misconception
        seen.add(mutant.misconception)


def told(sheet: str, folder: Path, *, mutants: str, jobs: int = JOBS) -> list[Told]:
    """What becomes of these programs, by `wirelab grade`."""
    wanted: dict[str, str] = {}
    files = []
    for name, end, text, wrong in programs_of(sheet, mutants=mutants):
        file = folder / f"{name}_{end[1:]}{end}"
        file.write_text(text, "utf-8")
        files.append(file)
        wanted[file.stem] = wrong
    words = ["grade", sheet, *map(str, files), "--out", str(folder / "grades"), "-j", str(jobs)]
    done = subprocess.run(
        [sys.executable, "-m", "lab", *words],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return list(_read(load_sheet(sheet), folder / "grades/kept", wanted))


def _read(sheet: Sheet, kept: Path, wanted: Mapping[str, str]) -> Iterator[Told]:
    for name, wrong in wanted.items():
        found = read_kept(sheet, kept / f"{name}.json")
        assert found is not None, f"{name} was not graded"
        yield Told(name, wrong, found[0])


def main() -> int:
    """All of them, printed."""
    failed = 0
    for sheet in SHEETS:
        with tempfile.TemporaryDirectory(prefix="wirelab-matrix-") as folder:
            found = told(sheet, Path(folder), mutants="every")
        print(f"\n{sheet}\n", *(f"{each}\n" for each in found), sep="")
        wrong = [each for each in found if each.wanted]
        named = [each for each in wrong if each.is_well]
        others = sum(bool(each.others) for each in wrong)
        right = sum(each.is_well for each in found) - len(named)
        print(
            f"{right} right programs of {len(found) - len(wrong)} with all points and no hint; "
            f"{len(named)} of {len(wrong)} wrong ones told what is wrong, {others} of something "
            "else besides"
        )
        failed += len(found) - right - len(named)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
