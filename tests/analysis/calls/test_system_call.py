from __future__ import annotations

from dataclasses import replace

from shown import argument
from system_calls import decoded

CALL = decoded(1, "send", (0, 1), moved=7, arguments={"sockfd": "3", "buf": "0x10", "flags": "0"})


def test_its_text_is_as_strace_shows_it() -> None:
    assert (CALL.text, CALL.returned) == ("send(3, 0x10, 0)", "7")
    assert replace(CALL, arguments=()).text == "send()"


def test_what_it_returned_is_an_errnos_name_flags_or_unknown() -> None:
    assert decoded(1, "connect", (0, 1), error="ECONNREFUSED").returned == "-1 ECONNREFUSED"
    assert decoded(1, "recv", (0, None)).returned == "?"
    flags = replace(decoded(1, "fcntl", (0, 1), result=2050), flags="O_RDWR|O_NONBLOCK")
    assert flags.returned == "0x802 (O_RDWR|O_NONBLOCK)"


def test_an_argument_is_found_by_its_name() -> None:
    assert CALL.argument("sockfd") == argument("sockfd", "3")
    assert (CALL.number("sockfd"), CALL.number("buf")) == (3, 0x10)
    assert (CALL.argument("how"), CALL.number("how")) == (None, None)
