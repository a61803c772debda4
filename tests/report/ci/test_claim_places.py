from __future__ import annotations

from pathlib import Path

from lab.checks.own import OWN_CLAIMS
from lab.report.ci.claim_places import find_claims
from lab.run import load_scenario, scenario_names

SCENARIOS = Path(__file__).parents[3] / "scenarios"


def written(tmp_path: Path, text: str) -> dict[str, tuple[Path, int]]:
    source = tmp_path / "scenario.py"
    source.write_text(text)
    return find_claims([source])


def test_every_claim_of_every_scenario_is_found_where_it_is_written() -> None:
    places = find_claims(sorted(SCENARIOS.glob("*.py")))
    for name in scenario_names():
        for claim in load_scenario(name).claims:
            file, line = places[claim.id]
            lines = file.read_text().splitlines()[line - 1 : line + 1]
            assert any(f'"{claim.id}"' in text for text in lines)


def test_every_claim_of_two_programs_is_found_where_it_is_written() -> None:
    (source,) = SCENARIOS.parent.glob("lab/checks/own.py")
    places = find_claims([source])
    assert set(places) >= {claim.id for claim in OWN_CLAIMS}
    lines = source.read_text().splitlines()
    assert all(f'"{claim}"' in lines[line] for claim, (_, line) in places.items())


def test_a_claim_by_keyword_is_found(tmp_path: Path) -> None:
    places = written(tmp_path, 'x = 1\nclaim = Claim(text="b",\n id="a")\n')
    assert places == {"a": (tmp_path / "scenario.py", 2)}


def test_the_first_place_counts(tmp_path: Path) -> None:
    assert written(tmp_path, 'Claim("a")\nClaim("a")\n')["a"][1] == 1


def test_what_is_no_claim_with_a_written_id_is_passed_over(tmp_path: Path) -> None:
    text = 'Other("a")\nClaim(name)\nClaim()\nmodule.Claim("b")\nClaim(3)\n'
    assert written(tmp_path, text) == {}


def test_a_source_that_is_no_python_has_no_claims(tmp_path: Path) -> None:
    assert written(tmp_path, "def (:\n") == {}
    assert find_claims([tmp_path / "absent.py", tmp_path]) == {}
