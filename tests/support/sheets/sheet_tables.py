"""The tables of docs/sheets.md, from the sheets; run, it prints them."""

from __future__ import annotations

from inspect import getdoc
from pathlib import Path

from lab.grade.sheet import Sheet
from lab.grading.sheet_file import load_sheet

SHEETS = Path(__file__).parents[3] / "sheets"


def checks_table(sheet: Sheet) -> str:
    """A row for each check."""
    rows = (f"| `{each.name}` | {each.points:g} | {each.sentence} |" for each in sheet.checks)
    return "\n".join(("| check | points | what is expected |", "|---|---|---|", *rows))


def misconceptions_table(sheet: Sheet) -> str:
    """A row for each misconception."""
    rows = []
    for each in sheet.misconceptions:
        shows = (getdoc(each.shows) or "").split("\n")[0]
        rows.append(f"| `{each.name}` | {shows} | {each.source} |")
    return "\n".join(("| misconception | what shows | where to read |", "|---|---|---|", *rows))


def main() -> None:
    """Both tables of both sheets."""
    for name in ("tcp_echo", "udp_transfer"):
        sheet = load_sheet(str(SHEETS / f"{name}.py"))
        print(f"{name}\n\n{checks_table(sheet)}\n\n{misconceptions_table(sheet)}\n")


if __name__ == "__main__":
    main()
