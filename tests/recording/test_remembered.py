"""What the tests remember of the analysis is what it is without."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import remembered

from lab.analysis import assembly
from lab.analysis.flows import crossings
from lab.analysis.packets.dissect import dissect
from lab.analysis.plain.decode import PlainDecoder
from lab.recording.storage import load_recording


def without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions as the lab has them."""
    for name in remembered.FUNCTIONS:
        function = getattr(assembly, name)
        monkeypatch.setattr(assembly, name, function.__wrapped__)
    monkeypatch.setattr(crossings, "dissect", dissect)
    monkeypatch.setattr(crossings, "PlainDecoder", PlainDecoder)


@pytest.mark.parametrize("name", ["tcp4", "traced-tcp6", "traced-udp4", "nat4", "wired-tcp4"])
def test_timelines_are_the_same_as_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_recording(r.FOLDER / name)
    middle = len(whole.frames) // 2
    others = (
        whole,
        replace(whole, frames=(*whole.frames[:middle], *whole.frames[middle + 1 :])),
        replace(whole, points=(*whole.points[:-1], replace(whole.points[-1], frames=1))),
        replace(whole, trace=replace(whole.trace, syscalls=whole.trace.syscalls[1:])),
        replace(whole, programs=tuple(replace(run, stdout="") for run in whole.programs)),
        whole,
    )
    remembering = [assembly.build_timelines(each) for each in others]
    first, last = (of[0].crossings[0] for of in (remembering[0], remembering[-1]))
    assert first.packet is last.packet
    without_memory(monkeypatch)
    assert remembering == [assembly.build_timelines(each) for each in others]
    assert remembering[0] != remembering[1]


def test_one_that_has_the_place_of_another_in_memory_is_not_taken_for_it() -> None:
    function = remembered.remembering(lambda each: tuple(each), "i")
    for number in range(3000):
        assert function([number]) == (number,)


def test_a_large_step_is_not_kept() -> None:
    seen = []
    function = remembered.remembering(lambda each: seen.append(len(each)), "")
    few, many = (1,) * 10, (1,) * (remembered.MANY + 1)
    for each in (few, few, many, many):
        function(each)
    assert seen == [10, len(many), len(many)]
