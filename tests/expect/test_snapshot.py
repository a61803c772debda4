from __future__ import annotations

import pytest
import recorded as r
from expected import as_it_was, result_of
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.packet import TcpFlags
from lab.expect.shape import shape_of
from lab.expect.snapshot import looks_like, merged, parse_snapshot
from lab.model.claim import Outcome, Verdict

SHAPE = shape_of(result_of("tcp4").subjects())
TEXT = "\n".join(SHAPE)


def against(snapshot: str, edit: r.Edit = as_it_was, name: str = "tcp4") -> Verdict:
    return looks_like(snapshot).found(result_of(name, edit).subjects())


@pytest.mark.parametrize(
    "snapshot",
    [
        TEXT,
        f"# a comment\n\n{TEXT}\n",
        TEXT.replace("48 bytes", "* bytes"),
        TEXT.replace("'Hello. These are three messages, or so I think.\\n'", "'Hello*'"),
        f"{TEXT}\n?  server RST",
        TEXT.replace("  client FIN", "?  client FIN"),
        "\n".join(f"?{line}" for line in SHAPE),
    ],
)
def test_a_conversation_has_its_shape(snapshot: str) -> None:
    found = against(snapshot)
    assert found.outcome is Outcome.HOLDS, found


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        # RST for FIN
        (r.changed(20, r.set_tcp(flags=int(TcpFlags.RST))), "RST"),
        # an extra round trip: the server's first answer between the client's messages
        (r.moved(13, 6), "7 bytes"),
        # a lost option
        (r.changed(3, r.drop_option(4)), "client SYN"),
        # other bytes
        (r.changed(6, r.set_payload(b"Howdy. ")), "Howdy"),
        # another order: the client closes behind the server's answer
        (r.moved(12, 18), "client FIN"),
    ],
    ids=["RST for FIN", "extra round trip", "lost option", "other bytes", "another order"],
)
def test_each_kind_of_change_is_found(edit: r.Edit, said: str) -> None:
    found = against(TEXT, edit)
    assert found.outcome is Outcome.BROKEN
    assert said in found.why


def test_what_was_not_seen_is_not_the_same() -> None:
    assert against(TEXT, r.incomplete).outcome is Outcome.UNDECIDED
    assert against(TEXT, r.without(*range(1, 21))).outcome is Outcome.UNDECIDED


def test_the_lines_that_differ_are_shown() -> None:
    snapshot = TEXT.replace("client FIN", "client RST") + "\n  client FIN"
    first, second = against(snapshot).compared
    assert (first.expected, first.actual) == ("client RST", "client FIN")
    assert (second.expected, second.actual) == ("client FIN", "nothing")


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("  server 7 bytes", "  server 8 bytes", "  server * bytes"),
        (
            r"    'Date: Fri, 27 Nov 2026 06:28:06 GMT\r\n'",
            r"    'Date: Fri, 27 Nov 2026 06:28:07 GMT\r\n'",
            r"    'Date: *\r\n'",
        ),
        (
            r"    '2026-11-27 06:28:06 start of 3\n'",
            r"    '2026-11-27 06:28:07 start of 3\n'",
            r"    '* start of 3\n'",
        ),
        ("    'abc'", "    'abd'", "    '*'"),
        ("    'id 7 ok'", "    'id 12 ok'", "    'id * ok'"),
        (r"    'a \* 1'", r"    'a \* 2'", r"    'a \* *'"),
        ("  client SYN a b", "  client SYN a", "  client SYN a *"),
    ],
)
def test_what_varies_is_a_star(one: str, other: str, common: str) -> None:
    frame = ["tcp client > server:1", "  client FIN"]
    got = merged([[frame[0], one, frame[1]], [frame[0], other, frame[1]]])
    if common == "  client SYN a *":
        assert got in ((frame[0], common, frame[1]), (frame[0], f"?{one}", f"?{other}", frame[1]))
    else:
        assert got == (frame[0], common, frame[1])


def test_what_only_some_runs_have_may_be_missing() -> None:
    one = ["tcp client > server:1", "  client SYN", "  server RST"]
    assert merged([one, one[:2]]) == (*one[:2], "?  server RST")
    assert merged([one[:2], one, one]) == (*one[:2], "?  server RST")


@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["  client 1 byte", "  client 2 bytes", "    'a'", "    'b: 1'", "  server FIN"]
            ),
            min_size=1,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_runs_have_in_common_each_of_them_has(shapes: list[list[str]]) -> None:
    from lab.expect.snapshot import _matches

    common = merged(shapes)
    assert all(_matches(common, shape) for shape in shapes)


def test_a_snapshot_s_comments_and_blanks_are_no_lines() -> None:
    assert parse_snapshot("# x\n\n  client FIN  \n") == ("  client FIN",)
