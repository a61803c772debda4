from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from scenes import recorded_scene

from lab.report.svg.side_by_side import HEAD, HEIGHT, draw_side_by_side

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_wire_without_a_frame_says_so() -> None:
    scene = recorded_scene("traced-tcp4")
    silent = replace(scene, arrows=())
    said = texts(draw_side_by_side([("tcp", "20 frames", scene), ("unix", "0 frames", silent)]))
    assert said.count("not one frame") == 1
    assert {"tcp", "unix", "20 frames"} <= set(said)


def test_all_have_one_scale() -> None:
    scene = recorded_scene("tcp4")
    alone = draw_side_by_side([("a", "", scene)])
    slots = tuple(
        replace(slot, time_ns=scene.zero_ns + (slot.time_ns - scene.zero_ns) * 2)
        if slot.time_ns is not None
        else slot
        for slot in scene.slots
    )
    beside = draw_side_by_side([("a", "", scene), ("b", "", replace(scene, slots=slots))])

    def lowest(svg: str) -> float:
        panel = svg.partition('class="rail"')[2].partition(">b</text>")[0]
        heads = re.findall(r'd="M([\d.]+) ([\d.]+)L[\d.]+ [\d.]+L[^"]*Z"', panel)
        return max(float(y) for x, y in heads if float(x) < 300)

    assert lowest(alone) - HEAD > 1.9 * (lowest(beside) - HEAD)
    assert lowest(alone) <= HEAD + HEIGHT


def test_nothing_at_all_is_a_picture_too() -> None:
    scene = recorded_scene("tcp4")
    empty = replace(scene, slots=(), arrows=(), ribbons=(), headings=(), lanes=(), places=())
    assert "not one frame" in texts(draw_side_by_side([("a", "", empty)]))
