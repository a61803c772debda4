"""What is shown of a run under way."""

from __future__ import annotations

from step_scenes import segment

from lab.records import LinkNow, ProgramNow, SocketNow, Syscall
from lab.stepping.live import Live, live_scene, timer_text
from lab.wire.held import Decided, HeldFrame, Passed

S = 1_000_000_000
LINKS = (LinkNow("a", ("client/eth0", "server/eth0")), LinkNow("b", ("client/eth1", "r/eth0")))
SOCKET = SocketNow(
    "client", "tcp", "SYN_SENT", "192.0.2.1", 5000, "192.0.2.2", 80, 0, 1,
    "retransmission", 12 * S, 1, 2_000_000, 7,
)  # fmt: skip
CLIENT = ProgramNow("client", "client", ("x",), 9, None, "", None)


def held(number: int, side: int = 0, state: str = "waits", **more: bool) -> HeldFrame:
    data = segment(number)
    original = segment(0) if more.get("edited") else data
    return HeldFrame(number, side, 9 * S, data, original, more.get("resent", False), state, 11 * S)


def live(*waiting: tuple[HeldFrame, ...]) -> Live:
    begun = Live("tcp", "x86_64").in_step("talk", LINKS).at(10 * S, 61.0)
    return begun.with_gates(waiting, 0, ((), ()), ((), ()), is_passing=False)


def test_frames_wait_between_the_ends_of_their_link() -> None:
    scene = live_scene(live((held(1), held(3, 1)), ()))
    assert (scene.title, scene.status) == ("tcp: talk", "1:01 left")
    assert (scene.left.host, scene.right.host) == ("client", "server")
    assert [(f.number, f.to_right, f.kind, f.note) for f in scene.frames] == [
        (1, True, "client data", "waits for 1.0 s"),
        (3, False, "server data", "waits for 1.0 s"),
    ]


def test_of_several_links_that_of_the_selected_frame_is_shown() -> None:
    both = live((held(2),), (held(1),))
    assert live_scene(both).right.host == "r"
    other = live_scene(both, selected=2)
    assert other.right.host == "server" and other.status == "1 wait on other links, 1:01 left"


def test_what_was_decided_and_what_the_kernel_did_is_noted() -> None:
    frames = (
        held(1, state="delayed"), held(2, state="swapped"), held(3, state="dropped"),
        held(4, resent=True), held(5, edited=True),
    )  # fmt: skip
    notes = [frame.note for frame in live_scene(live(frames, ())).frames]
    assert notes == [
        "goes on in 1.0 s",
        "goes on behind the next",
        "dropped",
        "resent, waits for 1.0 s",
        "edited, waits for 1.0 s",
    ]


def test_what_has_gone_is_past_in_order_of_time_and_the_last_decision_can_be_undone() -> None:
    gone = (Passed(2, 1, segment(2), 8, "dropped"), Passed(1, 0, segment(1), 7, "delivered"))
    decided = (Decided(1, "x drop", 2, False), Decided(2, "x drop", 3, False))
    now = live((held(3, state="dropped"),), ()).with_gates(
        ((held(3, state="dropped"),), ()), 0, (gone, ()), (decided, ()), is_passing=True
    )
    scene = live_scene(now)
    assert [(f.number, f.note, f.state) for f in scene.past] == [
        (1, "", "gone"),
        (2, "dropped", "gone"),
    ]
    assert (scene.undoable, scene.is_passing, now.last) == (3, True, 3)
    assert now.in_step("more", LINKS).passed == ()
    assert now.in_step("talk", LINKS) is now


def test_a_call_is_replaced_by_what_it_returned() -> None:
    entered = Syscall("client", 9, 9, "listen", (3, 5), (), 10, None, None, "inode 7")
    now = live((), ()).with_hosts((CLIENT,), ()).with_calls([entered], 2)
    (program,) = live_scene(now).left.programs
    assert (program.calls[0].text, program.waits_for) == (
        "listen(3, 5)",
        "listen: waits for its end",
    )
    returned = Syscall("client", 9, 9, "listen", (3, 5), (), 10, 20, 0, "inode 7")
    (program,) = live_scene(now.with_calls([returned], 1)).left.programs
    assert [call.text for call in program.calls] == ["listen(3, 5) = 0"]
    assert (program.waits_for, program.state) == ("", "runs")
    ended = now.with_hosts((CLIENT._replace(exit_status=3),), None)
    assert live_scene(ended).left.programs[0].state == "exited with 3"
    assert now.with_calls([], 1).lost_calls == 3


def test_calls_on_files_are_left_out() -> None:
    calls = [
        Syscall("client", 9, 9, name, (3,), (), at, None, None, socket)
        for at, (name, socket) in enumerate(
            [
                ("read", ""),
                ("close_range", ""),
                ("close", "inode 7"),
                ("epoll_wait", ""),
                ("socket", ""),
            ]
        )
    ]
    assert [c.name for c in live((), ()).with_calls(calls, 0).calls] == [
        "close",
        "epoll_wait",
        "socket",
    ]


def test_a_socket_says_when_it_resends() -> None:
    now = live((), ()).with_hosts(None, (SOCKET,))
    (shown,) = live_scene(now).left.sockets
    assert shown.text == "tcp 5000 SYN_SENT 1 unacknowledged"
    assert shown.timer == "resends in 2.0 s, RTO 2.0 s, 1 done"
    assert timer_text(SOCKET._replace(timer=""), 0) == ""
    waiting = SOCKET._replace(timer="TIME-WAIT", resent=0)
    assert timer_text(waiting, 10 * S) == "ends in 2.0 s"
