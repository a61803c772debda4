from __future__ import annotations

from scenes import Parsed, recorded_page


def test_bytes_are_followed_from_sends_over_segments_to_reads() -> None:
    part = Parsed(recorded_page("traced-tcp4")).part()
    there, back = part["rulers"]
    assert (there["title"], there["length"]) == ("client → server", 48)
    named = {
        name: [(part["events"][number]["id"], start, end) for number, start, end in spans]
        for name, spans in there["rows"]
    }
    assert named == {
        "sends": [("client#3", 0, 7), ("client#4", 7, 33), ("client#5", 33, 48)],
        "segments": [("f6", 0, 7), ("f8", 7, 33), ("f10", 33, 48)],
        "reads": [("server#7", 0, 16), ("server#8", 16, 32), ("server#9", 32, 48)],
    }
    assert back["length"] == 43


def test_a_unix_socket_has_no_segments() -> None:
    rulers = Parsed(recorded_page("traced-unix4")).part()["rulers"]
    assert rulers
    assert any(dict(ruler["rows"])["segments"] == [] for ruler in rulers)
