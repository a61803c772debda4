"""Pages of reference."""

from __future__ import annotations

import re
from pkgutil import resolve_name

from lab.checks.tcp import opens_with_three_segments
from site_pages.reference import PAGES, claims_by_module, claims_page, reference_pages


def test_every_module_and_class_of_the_pages_is_there() -> None:
    for _, _, names in PAGES.values():
        for name in names:
            assert resolve_name(name).__doc__


def test_a_page_asks_for_the_docstrings_of_its_modules() -> None:
    pages = dict(reference_pages())
    assert re.findall(r"^::: (.*)$", pages["reference/expect.md"], re.MULTILINE) == [
        "lab.expect", "lab.expect.expectations",
    ]  # fmt: skip


def test_every_claim_of_a_scenario_is_among_the_claims() -> None:
    from lab.scenario_files import builtin_scenarios, load_scenario

    known = {claim.check for claims in claims_by_module().values() for claim in claims.values()}
    for path in builtin_scenarios().values():
        assert {claim.check for claim in load_scenario(path).claims} <= known


def test_a_claims_line_has_its_sentence_and_its_source() -> None:
    page = claims_page({"lab.checks.tcp": {"opens": opens_with_three_segments}})
    line = f"| `opens` | {opens_with_three_segments.text} | {opens_with_three_segments.source} |"
    assert line in page
