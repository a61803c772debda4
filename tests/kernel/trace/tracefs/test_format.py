"""Format files of tracepoints: fields and names, whatever their layout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_bytes import COMMON, Tracepoint, formats, symbolic

from lab.errors import InstrumentError
from lab.kernel.trace.tracefs.format import Formats, parse_fields, parse_format, parse_id

# As Linux 6.18 has it, shortened.
REAL = """\
name: inet_sock_set_state
ID: 2287
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:int oldstate;\toffset:16;\tsize:4;\tsigned:1;
\tfield:__u16 family;\toffset:28;\tsize:2;\tsigned:0;
\tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;

print fmt: "family=%s oldstate=%s", __print_symbolic(REC->family, { 2, "AF_INET" }, \
{ 10, "AF_INET6" }), REC->oldstate ? __print_symbolic(REC->oldstate, { 1, "TCP_ESTABLISHED" }, \
{ 0x7, "TCP_CLOSE" }, { TCP_LISTEN, "TCP_LISTEN" }) : "?"
"""

EVERYTHING = Tracepoint(
    "test:everything",
    4711,
    (
        ("int negative", 4),
        ("unsigned long large", 8),
        ("short small", 2),
        ("char comm[16]", 16),
        ("__u8 address[4]", 4),
        ("__u8 sockaddr[28]", 28),
        ("__data_loc char[] name", 4),
        ("unsigned int reason", 4),
        ("void * sk", 8),
    ),
    symbolic("reason", {2: "NOT_SPECIFIED", 3: "NO_SOCKET"}),
)
NAMES = ["negative", "large", "small", "comm", "address", "sockaddr", "name", "reason", "sk"]
RECORD = EVERYTHING.record(
    77, negative=-5, large=(1 << 64) - 1, small=-1, comm=b"python3\0rubbish.", name="eth0",
    address=b"\xc6\x33\x64\x01", sockaddr=b"ab" * 14, reason=3, sk=0xFFFF888100C88D80,
)  # fmt: skip


def test_a_real_file_gives_fields_and_names() -> None:
    parsed = parse_format("sock", REAL)
    assert (parsed.name, parsed.id) == ("sock:inet_sock_set_state", 2287)
    assert parse_id(REAL) == 2287
    assert [field.name for field in parsed.fields] == [
        "common_type", "common_flags", "common_pid", "skaddr", "oldstate", "family", "saddr",
    ]  # fmt: skip
    address = parsed.field("saddr")
    assert (address.type, address.offset, address.size) == ("__u8[]", 32, 4)
    assert parsed.symbols == {
        "family": {2: "AF_INET", 10: "AF_INET6"},
        "oldstate": {1: "TCP_ESTABLISHED", 7: "TCP_CLOSE"},  # an enumerator's name tells no value
    }


def test_every_kind_of_field_is_read() -> None:
    parsed = parse_format(EVERYTHING.system, EVERYTHING.text)
    assert parsed.reader(["common_pid", *NAMES])(RECORD) == {
        "common_pid": 77,
        "negative": -5,
        "large": (1 << 64) - 1,
        "small": -1,
        "comm": "python3",
        "address": b"\xc6\x33\x64\x01",
        "sockaddr": b"ab" * 14,
        "name": "eth0",
        "reason": "NO_SOCKET",
        "sk": 0xFFFF888100C88D80,
    }


def test_a_value_without_a_name_stays_a_number() -> None:
    parsed = parse_format(EVERYTHING.system, EVERYTHING.text)
    assert parsed.reader(["reason"])(EVERYTHING.record(reason=4)) == {"reason": 4}


def test_the_rest_of_a_record_ends_at_its_nul() -> None:
    mark = Tracepoint("ftrace:print", 5, (("unsigned long ip", 8), ("char buf[]", 0)))
    read = parse_format(mark.system, mark.text).reader(["buf"])
    assert read(mark.record(buf=b"wirelab program 0 5\n\0\0\0")) == {"buf": "wirelab program 0 5\n"}


def test_values_come_in_the_order_asked_for() -> None:
    parsed = parse_format(EVERYTHING.system, EVERYTHING.text)
    assert parsed.unpacker(["small", "common_pid", "negative"])(RECORD) == (-1, 77, -5)
    assert parsed.unpacker(["common_pid", "negative", "small"])(RECORD) == (77, -5, -1)


def test_a_record_cut_short_is_refused() -> None:
    read = parse_format(EVERYTHING.system, EVERYTHING.text).reader(NAMES)
    for length in range(len(RECORD)):
        with pytest.raises(InstrumentError, match="record of"):
            pytest.fail(f"of {length} bytes: {read(RECORD[:length])}")


def test_a_field_that_is_not_there_is_named() -> None:
    parsed = parse_format(EVERYTHING.system, EVERYTHING.text)
    assert not parsed.has("skaddr")
    with pytest.raises(InstrumentError, match="test:everything has no field 'skaddr'; it has"):
        parsed.field("skaddr")


def test_a_file_cut_short_is_refused_or_has_fewer_fields() -> None:
    whole = parse_format("sock", REAL)
    refused = 0
    for length in range(len(REAL)):
        try:
            parsed = parse_format("sock", REAL[:length])
        except InstrumentError:
            refused += 1
        else:
            assert parsed.fields == whole.fields[: len(parsed.fields)]
    assert refused > REAL.index("common_type")


def test_a_file_without_fields_is_refused() -> None:
    with pytest.raises(InstrumentError, match="without fields"):
        parse_fields("name: x\n")
    with pytest.raises(InstrumentError, match="without ID"):
        parse_id("name: x\n")


def test_an_older_kernels_fields_say_by_their_type_whether_they_are_signed() -> None:
    fields = parse_fields(
        "\tfield:u64 a;\toffset:0;\tsize:8;\n\tfield:int b;\toffset:8;\tsize:4;\n"
    )
    assert [field.signed for field in fields] == [False, True]


def test_formats_are_found_by_the_records_own_number() -> None:
    known = formats([EVERYTHING])
    assert known.type_of(RECORD) == 4711
    found = known.get(4711)
    assert found is not None
    assert found.name == "test:everything"
    assert known.get(1) is None
    with pytest.raises(InstrumentError, match="a record of 3 bytes"):
        known.type_of(RECORD[:3])


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 4, 8]), st.booleans(), st.integers(0, (1 << 64) - 1)),
        min_size=1,
        max_size=12,
    )
)
def test_numbers_of_any_size_are_read_back(fields: list[tuple[int, bool, int]]) -> None:
    declared = tuple(
        (f"{'int' if signed else 'unsigned int'} f{place}", size)
        for place, (size, signed, _) in enumerate(fields)
    )
    tracepoint = Tracepoint("test:numbers", 9, declared)
    values = {f"f{place}": value for place, (_, _, value) in enumerate(fields)}
    wanted = {}
    for place, (size, signed, value) in enumerate(fields):
        data = (value % (1 << 8 * size)).to_bytes(size, "little")
        wanted[f"f{place}"] = int.from_bytes(data, "little", signed=signed)
    read = parse_format("test", tracepoint.text).reader(list(values))
    assert read(tracepoint.record(**values)) == wanted
    assert len(COMMON) + len(fields) == len(parse_fields(tracepoint.text))


def test_numbers_are_those_of_the_names_that_are_there() -> None:
    text = "name: {}\nID: {}\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\n"
    formats = Formats(
        {
            1: ("sock", text.format("sock_send_length", 1)),
            2: ("sock", text.format("inet_sock_set_state", 2)),
            3: ("tcp", "not to be parsed"),
        }
    )
    assert formats.numbers(["sock:sock_send_length", "sock:sock_recv_length"]) == {1}
    assert formats.numbers([]) == frozenset()
