"""The page at work: in Chromium, from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import axe_source, open_browser, opened, why_no_browser
from bulk import transfer, write_bulk
from hostile import HOSTILE, hostile_result
from scenes import noted_result, recorded_page, recorded_result

from lab.analysis.explain.display_filter import frame_filter
from lab.analysis.fields.fields import fields_of
from lab.capture_files import read_file, show_capture
from lab.derive import derived, write_capture_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser()),
]
TCP = "traced-tcp4"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


def file_of(folder: Path, name: str) -> Path:
    path = folder / f"{name}.html"
    if not path.exists():
        path.write_text(recorded_page(name), "utf-8")
    return path


@pytest.fixture
def tcp(browser: Browser, folder: Path) -> Iterator[Page]:
    with opened(browser, file_of(folder, TCP)) as page:
        yield page


def chosen(page: Page) -> str:
    """The event that the address names."""
    found: str = page.evaluate("decodeURIComponent(location.hash.split('/')[1] || '')")
    return found


def shown(page: Page, kind: str = "") -> list[str]:
    """The ids of the events that the ladder has, of one kind or of all."""
    found: list[str] = page.evaluate(
        "kind => page.ladder.order.map(n => page.part.events[n])"
        ".filter(e => !kind || e.kind === kind).map(e => e.id)",
        kind,
    )
    return found


def dumped(page: Page, which: str = "") -> list[int]:
    """The bytes in the hex dump: all of them, or those that are marked."""
    cells = page.locator(f".hex span:nth-child(3n+2) i{which}").all_inner_texts()
    return [int(cell, 16) for cell in cells]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [TCP, "traced-udp4"])
def test_it_opens_from_disk_without_a_complaint_or_a_request(
    browser: Browser, folder: Path, name: str, theme: str
) -> None:
    with opened(browser, file_of(folder, name), theme=theme) as page:
        assert page.locator(".canvas svg .arrow").count() > 0
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(255, 255, 255)") is (theme == "light")
        page.get_by_role("button", name="Dark or light").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background


def test_keys_step_from_event_to_event_and_the_address_remembers(tcp: Page) -> None:
    events = shown(tcp)
    for event in events[:3]:
        tcp.keyboard.press("j")
        assert chosen(tcp) == event
    tcp.keyboard.press("ArrowDown")
    tcp.keyboard.press("k")
    tcp.keyboard.press("ArrowUp")
    assert chosen(tcp) == events[1]
    tcp.keyboard.press("End")
    assert chosen(tcp) == events[-1]
    assert tcp.locator("button.text.chosen").first.is_visible()
    tcp.keyboard.press("Escape")
    assert chosen(tcp) == ""
    assert tcp.locator("#detail").inner_text() == ""


def test_an_address_opens_its_event(browser: Browser, folder: Path) -> None:
    with opened(browser, file_of(folder, TCP), fragment="#conversation/client%238") as page:
        assert page.locator("#detail h3").inner_text().startswith("client#8 recvfrom(3, ")
        assert page.locator("button.text.chosen").is_visible()


def test_the_event_of_an_address_is_in_sight_after_a_frame_without_a_size_has_got_one(
    browser: Browser, folder: Path
) -> None:
    path = file_of(folder, TCP)
    with opened(browser, path, width=1, fragment="#conversation/client%238") as page:
        page.set_viewport_size({"width": 1280, "height": 600})
        box = page.locator("button.text.chosen").bounding_box(timeout=10_000)
        assert box is not None
        assert 0 <= box["y"] <= 600


def test_a_copy_that_a_switch_flooded_is_found_at_the_frame_before_it(
    browser: Browser, folder: Path
) -> None:
    with opened(browser, file_of(folder, "switch4")) as page:
        page.set_viewport_size({"width": 1280, "height": 400})
        page.locator(".claims").get_by_role("link", name="f2", exact=True).first.click()
        assert page.locator("#detail h3").inner_text().startswith("f2 ARP")
        assert page.locator("button.text", has_text="f2 ARP").count() == 0
        box = page.locator("button.text", has_text="f1 ARP").first.bounding_box(timeout=10_000)
        assert box is not None
        assert 0 <= box["y"] <= 400


def test_a_call_shows_the_line_that_made_it(browser: Browser, folder: Path) -> None:
    path = folder / "noted.html"
    path.write_bytes(derived(noted_result(), "html"))
    with opened(browser, path, fragment="#conversation/client%232") as page:
        pane = page.locator("#detail")
        said = pane.locator("h4", has_text="Source").inner_text()
        assert said == "Source /demos/client.py, line 25, in main"
        assert pane.locator(".source li").count() == 5
        marked = pane.locator(".source li.chosen")
        assert marked.inner_text().split("\n") == ["25", "    c.connect((address, port))"]
        background = "e => getComputedStyle(e).backgroundColor"
        assert marked.evaluate(background) != pane.locator(".source li").first.evaluate(background)
        page.keyboard.press("j")
        assert chosen(page) != "client#2"
        assert pane.locator(".source").count() == 0


def test_evidence_leads_to_its_event(tcp: Page) -> None:
    tcp.locator(".claims li", has_text="opens with SYN").get_by_role("link", name="f4").click()
    assert chosen(tcp) == "f4"
    assert tcp.locator("#detail h3").inner_text() == "f4 SYN ACK seq=0 ack=1 win=43440"
    tcp.locator("#detail").get_by_role("link", name="f3", exact=True).click()
    assert chosen(tcp) == "f3"


def test_evidence_that_a_program_printed_leads_to_what_was_traced_of_it(tcp: Page) -> None:
    tcp.get_by_label("calls", exact=True).uncheck()
    claim = tcp.locator(".claims li", has_text="What the programs say they called")
    claim.locator("summary").click()
    claim.get_by_role("link", name="client:3", exact=True).last.click()
    assert chosen(tcp) == "client:3"
    pane = tcp.locator("#detail")
    assert pane.locator("h3").inner_text() == "client:3 send(3, b'Hello. ') = 7"
    assert "printed by the program" in pane.inner_text()
    assert shown(tcp, "system call") == []  # it has no place in the ladder that filters may hide
    pane.get_by_role("link", name="client#3", exact=True).click()
    assert chosen(tcp) == "client#3"
    assert "client#3" in shown(tcp)
    assert tcp.locator("#detail h4", has_text="Printed as").is_visible()
    tcp.locator("#detail").get_by_role("link", name="client:3", exact=True).click()
    assert chosen(tcp) == "client:3"
    tcp.keyboard.press("j")
    assert chosen(tcp) == shown(tcp)[0]


def test_evidence_of_a_run_that_was_not_traced_is_shown(browser: Browser, folder: Path) -> None:
    with opened(browser, file_of(folder, "tcp4"), fragment="#conversation/client%3A3") as page:
        said = page.locator("#detail").inner_text()
        assert "client:3 send(3, b'Hello. ') = 7" in said
        assert "Traced as" not in said
        page.locator("#table summary").click()
        row = page.locator("#table tr", has_text="client:3")
        assert row.locator("td").first.inner_text() == ""


def test_filters_leave_events_out_and_a_link_brings_them_back(tcp: Page) -> None:
    tcp.get_by_label("calls", exact=True).uncheck()
    assert shown(tcp, "system call") == []
    assert tcp.locator(".canvas .bracket").count() == 0
    assert len(shown(tcp, "frame")) == 20
    tcp.get_by_label("beside the conversation").uncheck()
    tcp.get_by_label("states", exact=True).uncheck()
    assert shown(tcp) == shown(tcp, "frame")
    tcp.locator(".claims").get_by_role("link", name="client#2", exact=True).first.click()
    assert chosen(tcp) == "client#2"
    assert "client#2" in shown(tcp)


def test_a_search_keeps_what_has_the_word(tcp: Page) -> None:
    tcp.keyboard.press("/")
    tcp.keyboard.type("sendto")
    assert shown(tcp) == [f"client#{n}" for n in (3, 4, 5)] + [f"server#{n}" for n in (11, 12, 13)]
    assert tcp.locator("#found").inner_text() == "6 events"
    assert set(tcp.locator(".canvas mark").all_inner_texts()) == {"sendto"}


def test_one_flow_is_shown_with_its_calls(browser: Browser, folder: Path) -> None:
    with opened(browser, file_of(folder, TCP)) as page:
        page.get_by_label("Flow").select_option("tcp 0")
        assert "f1" not in shown(page)
        assert {"f3", "client#2", "server#5"} <= set(shown(page))


def test_fields_and_bytes_are_those_of_the_recording(tcp: Page) -> None:
    frame = recorded_result(TCP).timelines[0].crossings[2].packet
    tcp.evaluate("page.choose(page.part.events.findIndex(e => e.id === 'f3'))")
    assert bytes(dumped(tcp)) == frame.frame.data
    tcp.locator(".fields").get_by_role("button", name="sequence number").click()
    assert bytes(dumped(tcp, ".chosen")) == frame.frame.data[38:42]
    assert tcp.locator(".fields tr.chosen td").nth(1).inner_text().startswith(str(frame.tcp.seq))
    tcp.locator(".hex i[data-at='23']").first.click()
    assert tcp.locator(".fields tr.chosen th").inner_text() == "protocol"
    assert dumped(tcp, ".chosen") == [6]


@pytest.mark.parametrize("name", [TCP, "tcp6", "traced-udp4", "udp6"])
def test_the_page_reads_every_field_as_the_lab_does(
    browser: Browser, folder: Path, name: str
) -> None:
    with opened(browser, file_of(folder, name)) as page:
        read: list[Any] = page.evaluate(
            "page.part.events.filter(e => e.kind === 'frame')"
            ".map(e => fieldsOf(e, page.part).map(f => [f.name, f.value, f.meaning, f.filter]))"
        )
        filters = page.evaluate(
            "page.part.events.filter(e => e.kind === 'frame')"
            ".map(e => frameFilter(fieldsOf(e, page.part), page.index.telling))"
        )
    wanted = [
        [[f.shape.name, f.value, f.meaning, f.display_filter] for f in fields_of(each.packet)]
        for each in recorded_result(name).timelines[0].crossings
    ]
    assert read == wanted
    crossings = recorded_result(name).timelines[0].crossings
    assert filters == [frame_filter(fields_of(each.packet)) for each in crossings]


def test_to_scale_a_nanosecond_is_as_high_everywhere(tcp: Page) -> None:
    tcp.get_by_label("to scale").check()
    times = tcp.evaluate(
        "page.part.scene.slots.map((s, n) => [s[1], page.ladder.tops[n]])"
        ".filter(([t]) => t !== null)"
    )
    (first, top), (last, bottom) = times[0], times[-1]
    for time, at in times:
        expected = top + (bottom - top) * (time - first) / (last - first)
        assert at == pytest.approx(expected, abs=0.5)
    height = tcp.evaluate("page.ladder.height")
    tcp.get_by_role("button", name="Zoom in").click()
    assert tcp.evaluate("page.ladder.height") > height * 1.8


def test_predicting_hides_what_comes_and_reveals_it_event_by_event(tcp: Page) -> None:
    events = shown(tcp)
    tcp.get_by_role("button", name="Predict, then reveal").click()
    assert not tcp.locator(".claims").is_visible()
    assert "What do connect(), send()" in tcp.locator("#prediction .ask").inner_text()
    assert shown(tcp) == []
    for count in (1, 2, 3):
        tcp.locator("#reveal").click()
        assert shown(tcp) == events[:count]
    later = tcp.locator("#detail a").all_inner_texts()
    assert set(later) <= set(events[:3])
    tcp.locator("#finish").click()
    assert shown(tcp) == events
    assert tcp.locator(".claims").is_visible()


def test_the_ruler_leads_to_the_call_that_sent_a_byte(tcp: Page) -> None:
    tcp.locator(".ruler rect[data-event='client#4']").click()
    assert chosen(tcp) == "client#4"


def test_the_table_has_every_event(tcp: Page) -> None:
    tcp.locator("#table summary").click()
    rows = tcp.locator("#table tbody th").all_inner_texts()
    assert rows == tcp.evaluate("page.part.events.map(e => e.id)")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_paper_gets_the_whole_ladder_dark_on_light(
    browser: Browser, folder: Path, theme: str
) -> None:
    with opened(browser, file_of(folder, TCP), theme=theme) as page:
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("page.ladder.drawn.from") == 0
        assert page.evaluate("page.ladder.drawn.to") == page.evaluate("page.ladder.height")
        assert page.locator(".canvas .arrow").count() == 20
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(23, 32, 44)"
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate("page.ladder.drawn.to") < page.evaluate("page.ladder.height")


@pytest.mark.parametrize("width", [800, 1280])
def test_texts_stay_within_the_page(browser: Browser, folder: Path, width: int) -> None:
    with opened(browser, file_of(folder, TCP), width=width) as page:
        page.keyboard.press("j")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


COVERED = """() => {
  const all = [...document.querySelectorAll('.canvas .text')];
  const texts = all.filter(text => text.textContent.trim());
  const boxes = texts.map(text => ({ said: text.textContent, at: text.getBoundingClientRect() }));
  const by = (a, b) => [Math.min(a.right, b.right) - Math.max(a.left, b.left),
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
  return boxes.flatMap((one, number) => boxes.slice(number + 1).filter(other => {
    const [across, down] = by(one.at, other.at);
    return across > 3 && down > 5;
  }).map(other => [one.said, other.said]));
}"""
"""Pairs of texts in the ladder of which one covers more than an edge of the other."""


@pytest.mark.parametrize("width", [366, 1100])
@pytest.mark.parametrize("name", ["backlog4", "nat4", "nagle4", "loss-syn4"])
def test_no_text_of_a_ladder_covers_another(
    browser: Browser, folder: Path, name: str, width: int
) -> None:
    with opened(browser, file_of(folder, name), width=width) as page:
        page.locator(".canvas .text").first.wait_for(state="attached")
        assert page.evaluate(COVERED) == []


def test_a_frame_that_left_among_folded_ones_is_named_where_it_arrives(
    browser: Browser, folder: Path
) -> None:
    with opened(browser, file_of(folder, "wired-tcp4")) as page:
        page.evaluate("page.ladder.draw({ whole: true })")
        name, end = page.evaluate(
            """() => {
              const { ladder } = page;
              const { slots, label } = ladder.scene.arrows.find(({ slots: [a, b] }) => a !== b);
              ladder.scene.slots[slots[0]][4] = 0;
              ladder.layOut();
              ladder.draw({ whole: true });
              return [label, slots[1]];
            }"""
        )
        where = "([name, end]) => parseFloat([...document.querySelectorAll('.canvas .on-wire')]"
        where += ".find(text => text.textContent.includes(name)).style.top) - page.ladder.tops[end]"
        assert abs(page.evaluate(where, [name, end])) < 24


def test_hostile_texts_are_shown_and_obeyed_nowhere(browser: Browser, folder: Path) -> None:
    path = folder / "hostile.html"
    path.write_bytes(derived(hostile_result(), "html"))
    with opened(browser, path) as page:
        assert page.locator("script").count() == 3
        for event in range(page.evaluate("page.part.events.length")):
            page.evaluate("event => page.choose(event)", event)
        page.locator("#table summary").click()
        text = page.evaluate("document.body.innerText")
        assert HOSTILE[:8] in text
        assert "\u202e" not in text
        assert page.evaluate("window.hacked") is None


@pytest.fixture(scope="module")
def bulk(folder: Path) -> Path:
    """The page of a capture of 5,000 frames of one flow, with losses."""
    capture, target = folder / "bulk.pcapng", folder / "bulk.html"
    write_bulk(capture, [transfer(5000, lost_every=97)])
    write_capture_page(show_capture(read_file(str(capture))), target)
    return target


def test_a_large_capture_is_small_enough_and_draws_what_is_in_sight(
    browser: Browser, bulk: Path
) -> None:
    assert bulk.stat().st_size <= 8_000_000
    with opened(browser, bulk) as page:
        assert page.evaluate("page.part.events.length") > 4900
        assert page.locator("#canvas > *").count() < 400
        page.keyboard.press("j")
        page.keyboard.press("End")
        assert page.locator("button.text.chosen").is_visible()
        assert page.locator("#canvas > *").count() < 400
        assert page.locator("#detail code").last.inner_text() == "frame.number == " + str(
            page.evaluate("page.part.events.at(-1).packet")
        )


def test_a_long_flow_has_its_graphs_and_a_click_on_them_chooses(
    browser: Browser, bulk: Path
) -> None:
    with opened(browser, bulk) as page:
        assert page.locator("#graphs h3").all_inner_texts()[0].startswith("Sequence numbers")
        assert page.locator(".graph .again").count() > 0
        page.locator(".graph .hit").first.click(position={"x": 300, "y": 100})
        assert page.evaluate("page.part.events[page.view.chosen].kind") == "frame"


def test_of_many_frames_the_table_comes_first_and_then_one_flow(
    browser: Browser, folder: Path
) -> None:
    capture, target = folder / "many.pcapng", folder / "many.html"
    write_bulk(capture, [transfer(50, port=30_000 + number) for number in range(240)])
    write_capture_page(show_capture(read_file(str(capture))), target)
    with opened(browser, target) as page:
        assert page.locator(".parts tbody tr").count() == 240
        assert page.locator("#canvas > *").count() == 0
        page.get_by_role("button", name="tcp 7", exact=True).click()
        assert page.locator("#canvas > *").count() > 0
        assert page.locator("#lanes").inner_text().startswith("192.0.2.1:30007")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, folder: Path, theme: str) -> None:
    source = axe_source()
    if not source:
        pytest.skip("axe-core cannot be had from npm")
    with opened(browser, file_of(folder, TCP), theme=theme) as page:
        page.evaluate(source)
        for choice in ("null", "page.part.events.findIndex(e => e.id === 'f8')"):
            page.evaluate(f"page.choose({choice})")
            page.locator("#table details").evaluate("each => { each.open = true; }")
            found = page.evaluate("axe.run()")
            serious = [
                (each["id"], [node["html"][:120] for node in each["nodes"][:3]])
                for each in found["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert serious == []
