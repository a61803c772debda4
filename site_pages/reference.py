"""Pages of reference: of docstrings, which mkdocstrings reads, and of the claims there are."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.model.claim import Claim

FOLDER = "reference/"

PAGES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "api": ("lab.api", "All that a scenario, a test or a program of yours imports.", ("lab.api",)),
    "expect": (
        "lab.expect",
        "What is expected of runs and capture files, in calls: [what you expect](../expect.md).",
        ("lab.expect", "lab.expect.expectations"),
    ),
    "testing": (
        "lab.testing",
        "What the plugin of pytest gives to tests: [under pytest](../pytest.md).",
        (
            "lab.testing.bench.Bench",
            "lab.testing.faults.Wire",
            "lab.testing.function.Called",
            "lab.testing.function.FunctionFailed",
        ),
    ),
    "records": (
        "lab.records",
        "What a run records: the lines of [recording.jsonl](../artifacts.md) are these.",
        ("lab.records",),
    ),
}
"""By its file, a page's title, what it begins with, and the modules and classes that it is of."""

CLAIMS = "claims"


def reference_pages() -> Iterator[tuple[str, str]]:
    """Each page's place, and its text."""
    for name, (title, opening, modules) in PAGES.items():
        parts = "\n\n".join(f"::: {module}" for module in modules)
        yield f"{FOLDER}{name}.md", f"# {title}\n\n{opening}\n\n{parts}\n"
    yield f"{FOLDER}{CLAIMS}.md", claims_page(claims_by_module())


def claims_by_module() -> dict[str, dict[str, Claim]]:
    """Every claim of lab.checks by its name there, by the module that defines it."""
    import lab.checks
    from lab.model.claim import Claim

    found: dict[str, dict[str, Claim]] = {}
    for each in pkgutil.walk_packages(lab.checks.__path__, "lab.checks."):
        for name, value in vars(import_module(each.name)).items():
            if isinstance(value, Claim) and value.check.__module__ == each.name:
                found.setdefault(each.name, {})[name] = value
    return found


def claims_page(modules: Mapping[str, Mapping[str, Claim]]) -> str:
    """The page of claims: a table for each module."""
    lines = [
        "# lab.checks",
        "",
        "The claims that a scenario may list, a line each: [write a scenario](../scenarios.md).",
    ]
    for module, claims in modules.items():
        heading = module.replace(".", ".<wbr>")
        lines += ["", f"## {heading}", "", "| name | claim | source |", "|---|---|---|"]
        lines += [
            f"| `{name}` | {_cell(claim.text)} | {_cell(claim.source)} |"
            for name, claim in claims.items()
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("_", "\\_").replace("*", "\\*")
