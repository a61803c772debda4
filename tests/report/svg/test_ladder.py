from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from recorded import recording_of
from scenes import RECORDINGS, recorded_result, recorded_scene

from lab.analysis.assembly import build_timelines
from lab.derive import derived
from lab.ladder.build import build_ladder
from lab.report.svg.geometry import COLUMN_WIDTH
from lab.report.svg.ladder import draw_svg, state_group
from lab.scene.build import build_scene

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", sorted(folder.name for folder in RECORDINGS.iterdir()))
def test_every_recorded_run_has_a_picture(name: str) -> None:
    timelines = build_timelines(recording_of(name))
    svg = draw_svg(name, [(each.step, build_scene(build_ladder(each))) for each in timelines])
    said = texts(svg)
    # What a switch floods to who has no part in the step is counted, not drawn.
    frames = [
        str(crossing.id)
        for each in timelines
        for crossing in each.crossings
        if crossing.sender not in each.recording.switches
    ][:3]
    assert all(any(text.startswith(f"{frame} ") for text in said) for frame in frames)
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_arrows_calls_states_and_notes_are_in_it() -> None:
    said = texts(derived(recorded_result("traced-tcp4"), "svg").decode("utf-8"))
    assert "f3 SYN seq=0 win=42340" in said
    assert "#2 connect(3, 198.51.100.2:4242, 16)" in said
    assert "#2 connect = 0  0.129 ms" in said
    assert "kernel: SYN_SENT → ESTABLISHED" in said
    assert any("accept() returns when the handshake is over" in text for text in said)


@pytest.mark.parametrize("rule", ["drop SYN", "drop SYN-ACK from 1 to 2", "drop " + "x" * 200])
@pytest.mark.parametrize("number", [2, 3])
def test_why_a_frame_is_lost_stands_between_the_hosts(number: int, rule: str) -> None:
    scene = recorded_scene("traced-tcp4")
    lost = replace(scene.arrows[number], is_lost=True, dropped=f"the wire: server>client {rule}")
    arrows = (*scene.arrows[:number], lost, *scene.arrows[number + 1 :])
    page = ET.fromstring(draw_svg("x", [("one", replace(scene, arrows=arrows))]))
    edges = [float(each.get("d", "")[1:].split()[0]) for each in page.iter(f"{SVG}path")][:2]
    (why,) = (each for each in page.iter(f"{SVG}text") if "the wire" in "".join(each.itertext()))
    said = "".join(why.itertext())
    assert (said == lost.dropped) is (len(rule) < 100)
    x, wide = float(why.get("x", "")), len(said) * COLUMN_WIDTH
    left, right = (x - wide, x) if why.get("text-anchor") == "end" else (x, x + wide)
    assert edges[0] < left and right < edges[1]


def test_a_lost_frame_says_so_and_does_not_arrive() -> None:
    scene = recorded_scene("tcp4")
    lost = replace(scene.arrows[5], is_lost=True)
    arrows = (*scene.arrows[:5], lost, *scene.arrows[6:])
    said = texts(draw_svg("x", [("one", replace(scene, arrows=arrows))]))
    assert "lost: seen leaving, not arriving" in said
    assert "lost: seen leaving, not arriving" not in texts(draw_svg("x", [("one", scene)]))


def test_hostile_texts_are_only_texts() -> None:
    hostile = "</style><script>alert(1)</script>]]>\u202e\0" + "x" * 10_000
    scene = recorded_scene("traced-tcp4")
    calls = tuple(replace(call, text=hostile, outcome=hostile) for call in scene.calls)
    lanes = tuple(replace(lane, name=hostile, addresses=(hostile,)) for lane in scene.lanes)
    svg = draw_svg(hostile, [(hostile, replace(scene, calls=calls, lanes=lanes))] * 2)
    root = ET.fromstring(svg)
    assert not list(root.iter(f"{SVG}script"))
    assert "\u202e" not in svg
    assert "\0" not in svg


@pytest.mark.parametrize(
    ("state", "group"),
    [("SYN-SENT", "opening"), ("SYN_RECV", "opening"), ("FIN_WAIT2", "closing"),
     ("FIN-WAIT-2", "closing"), ("TIME-WAIT", "waiting"), ("CLOSE", "closed")],
)  # fmt: skip
def test_states_have_one_colour_in_either_spelling(state: str, group: str) -> None:
    assert state_group(state) == group


def test_a_picture_for_a_page_has_no_style_of_its_own() -> None:
    scene = recorded_scene("tcp4")
    assert "<style>" not in draw_svg("x", [("", scene)], with_style=False)
    assert "<style>" in draw_svg("x", [("", scene)])
