"""Capture files as tshark reads them, and as `wirelab show --json` does: the same frames?

Arguments: capture files. Prints what differs, and ends with status 1 where anything does.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from lab.analysis.tcp.segment import Note
from lab.capture_files import read_file, show_capture, shown_document
from lab.errors import CaptureFileError
from lab.model.address import SocketAddress

Document = dict[str, Any]
Line = dict[str, list[str]]
"""Of a packet the fields that tshark gives, each with all its values."""
Facts = dict[str, object]
"""Of a packet of a TCP or UDP flow: what is compared, each with a name."""

FIELD_OF = {
    Note.RETRANSMISSION: "retransmission",
    Note.FAST_RETRANSMIT: "fast_retransmission",
    Note.SPURIOUS: "spurious_retransmission",
    Note.OUT_OF_ORDER: "out_of_order",
    Note.DUPLICATE_ACK: "duplicate_ack",
    Note.KEEP_ALIVE: "keep_alive",
    Note.KEEP_ALIVE_ACK: "keep_alive_ack",
    Note.ZERO_WINDOW: "zero_window",
    Note.ZERO_WINDOW_PROBE: "zero_window_probe",
    Note.ZERO_WINDOW_PROBE_ACK: "zero_window_probe_ack",
    Note.WINDOW_UPDATE: "window_update",
    Note.PREVIOUS_NOT_CAPTURED: "lost_segment",
}
"""Notes that tshark has too, by what comes after "tcp.analysis." there."""

_COMMON = ("frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst")
_TCP = (
    "tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.seq", "tcp.ack", "tcp.flags", "tcp.len",
    "tcp.window_size", "tcp.urgent_pointer", "tcp.checksum.status",
)  # fmt: skip
_OPTIONS = (
    "tcp.option_kind", "tcp.options.mss_val", "tcp.options.wscale.shift",
    "tcp.options.timestamp.tsval", "tcp.options.timestamp.tsecr", "tcp.options.sack_le",
    "tcp.options.sack_re",
)  # fmt: skip
_UDP = ("udp.stream", "udp.srcport", "udp.dstport", "udp.length", "udp.checksum.status")
_NOTES = tuple(sorted(f"tcp.analysis.{name}" for name in FIELD_OF.values()))
FIELDS = (*_COMMON, *_TCP, *_OPTIONS, *_UDP, *_NOTES)

_STATUS = {"0": "bad", "1": "good"}
_JUDGED = {"right": "good", "wrong": "bad", "left to the network card": "bad"}
_WRAP = 1 << 32
_ACK = 0x10
_FLAGS = {
    "FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ECE": 64, "CWR": 128, "AE": 256,
}  # fmt: skip


class Difference(NamedTuple):
    """A fact of a packet that the two have not alike; None where one has no such fact."""

    packet: int
    fact: str
    lab: object
    tshark: object


@cache
def tshark_version() -> tuple[int, int]:
    """(4, 0) of "TShark (Wireshark) 4.0.17 (…": versions differ in what they say of a frame."""
    said = subprocess.run(["tshark", "--version"], capture_output=True, check=True, text=True)
    found = re.match(r"TShark \(Wireshark\) (\d+)\.(\d+)", said.stdout)
    assert found is not None
    return int(found[1]), int(found[2])


def differences(file: Path) -> list[Difference]:
    """What differs between the two, in the order of the packets."""
    return compare(document_of(file), list(lines_of(file)))


def document_of(file: Path) -> Document:
    """What `wirelab show --json` prints; without frames where the file is refused."""
    try:
        return shown_document(show_capture(read_file(str(file))))
    except CaptureFileError as error:
        return {"frames": [], "broken": str(error)}


def lines_of(file: Path) -> Iterator[Line]:
    """Of each packet the fields that tshark gives, each with all its values.

    Of a file that tshark takes for broken or refuses, what it gave before.
    """
    fields = [word for name in FIELDS for word in ("-e", name)]
    options = [word for name in ("tcp", "udp") for word in ("-o", f"{name}.check_checksum:TRUE")]
    command = ["tshark", "-n", "-r", str(file), *options, "-T", "fields", *fields]
    done = subprocess.run(command, capture_output=True, check=False)
    for line in done.stdout.decode("utf-8", "replace").split("\n")[:-1]:
        values = (each.split(",") if each else [] for each in line.split("\t"))
        yield dict(zip(FIELDS, values, strict=True))


def compare(document: Document, lines: list[Line]) -> list[Difference]:
    """What differs in packets that tshark has in a TCP or UDP stream, or the lab in a flow."""
    frames = document["frames"]
    ours = {frame["packet"]: facts_of_lab(frame) for frame in frames}
    # UDP that carries a tunnel is no flow of its own.
    carriers = {each["packet"] for each in frames if each["tunnels"] and not ours[each["packet"]]}
    part_of = {
        event["number"]: flow["id"] for flow in document.get("flows", ()) for event in flow["parts"]
    }
    parts = {each["packet"]: part_of.get(each["id"]["number"]) for each in frames}
    streams = Streams(tshark_version())
    found = []
    # Wireshark numbers pcapng's Custom Blocks as well, which are on no link.
    on_links = (line for line in lines if line["frame.protocols"] != ["data"])
    for packet, line in enumerate(on_links, start=1):
        lab, tshark = ours.pop(packet, {}), facts_of_tshark(line)
        if packet in carriers and str(tshark.get("flow")).startswith("udp"):
            continue
        if (flow := parts.get(packet)) is not None and "seq" in tshark:
            # A header that the capture cut takes no part in anything but its flow.
            lab, tshark = {"flow": streams.of_part(flow)}, {"flow": tshark["flow"]}
        lab = streams.as_tshark_has_it(lab)
        for fact in [*tshark, *(name for name in lab if name not in tshark)]:
            if lab.get(fact) != tshark.get(fact) and fact not in streams.open_facts:
                found.append(Difference(packet, fact, lab.get(fact), tshark.get(fact)))
    found += [Difference(packet, "flow", lab["flow"], None) for packet, lab in ours.items() if lab]
    return found


class Streams:
    """The lab's flows as a tshark of another version than 4.6 numbers its TCP streams.

    Where the same endpoints connect again, 4.0 begins a stream only at a SYN without ACK whose
    number is another than the last one; 4.2 also where a FIN or RST came before.
    """

    def __init__(self, version: tuple[int, int]) -> None:
        self._by_number_alone = version < (4, 2)
        self._by_syn_alone = version < (4, 4)
        self._number: dict[object, int] = {}
        self._latest: dict[frozenset[str], int] = {}
        self._bases: dict[tuple[int, str], int] = {}
        self._begun_by: dict[int, object] = {}
        self.open_facts: frozenset[str] = frozenset()
        """What cannot be compared of the packet given last: it is in a stream of another one."""

    def as_tshark_has_it(self, facts: Facts) -> Facts:
        """The facts of the next packet, with the number of its stream."""
        self.open_facts = frozenset()
        flow = facts.get("flow")
        if "seq_raw" not in facts:
            return facts
        facts = dict(facts)
        seq, ack, flags = (facts.pop(name) for name in ("seq_raw", "ack_raw", "flags_raw"))
        assert isinstance(seq, int) and isinstance(flags, int)
        source, destination = str(facts["ends"]).split(" > ")
        if flow not in self._number:
            self._number[flow] = self._of_next(flow, source, destination, seq, flags)
        number = self._number[flow]
        is_syn = bool(flags & 2)
        self._bases.setdefault((number, source), (seq - (not is_syn)) % _WRAP)
        if is_syn:
            self._bases[number, source] = seq
        if isinstance(ack, int):
            self._bases.setdefault((number, destination), (ack - 1) % _WRAP)
        if self._begun_by[number] != flow:
            self.open_facts = frozenset({"seq", "ack", "window", "notes"})
        return {**facts, "flow": f"tcp {number}"}

    def of_part(self, flow: str) -> str:
        """The stream of what is in the flow and cut."""
        if flow not in self._number:
            self._number[flow] = len(self._begun_by)
            self._begun_by[self._number[flow]] = flow
        return f"tcp {self._number[flow]}"

    def _of_next(self, flow: object, source: str, destination: str, seq: int, flags: int) -> int:
        ends = frozenset((source, destination))
        latest = self._latest.get(ends)
        if latest is not None:
            is_bare = flags & 0x12 == 2
            is_same = self._bases.get((latest, source)) == seq
            if (self._by_syn_alone and not is_bare) or (self._by_number_alone and is_same):
                return latest
        number = self._latest[ends] = len(self._begun_by)
        self._begun_by[number] = flow
        return number


def facts_of_lab(frame: Document) -> Facts:
    """The facts of a frame of `wirelab show --json`; none where it is of no flow."""
    flow = frame.get("flow")
    if flow is None:
        return {}
    facts: Facts = {"flow": flow, "ends": f"{frame['source']} > {frame['destination']}"}
    if not flow.startswith("tcp"):
        udp = frame["udp"]
        return {**facts, "len": udp["len"], "checksum": _JUDGED.get(udp["checksum"]["judged"])}
    tcp = frame["tcp"]
    notes = {note.value: field for note, field in FIELD_OF.items()}
    return {
        **facts,
        "seq_raw": tcp["seq_raw"],
        "ack_raw": None if tcp["ack"] is None else tcp["ack_raw"],
        "flags_raw": sum(_FLAGS.get(name, 0) for name in tcp["flags"].split()),
        "seq": tcp["seq"] % _WRAP,
        "ack": None if tcp["ack"] is None else tcp["ack"] % _WRAP,
        "flags": sum(_FLAGS.get(name, 0) for name in tcp["flags"].split()),
        "len": tcp["len"],
        "window": tcp["window"],
        "urgent": tcp["urgent_pointer"] if "URG" in tcp["flags"] else 0,
        "options": _options_of_lab(tcp["options"]),
        "checksum": _JUDGED.get(tcp["checksum"]["judged"]),
        "notes": " ".join(sorted(notes[note] for note in tcp["notes"] if note in notes)),
    }


def _options_of_lab(options: list[Document]) -> str:
    values: dict[int, list[str]] = {}
    for option in options:
        value = option["value"]
        if option["kind"] in (2, 3):
            values.setdefault(option["kind"], []).append(str(value))
        elif option["kind"] == 8 and isinstance(value, list):
            values.setdefault(8, []).append(f"{value[0]}/{value[1]}")
    kinds = ",".join(str(option["kind"]) for option in options)
    return f"{kinds} {values}"


def facts_of_tshark(line: Line) -> Facts:
    """The facts of the innermost TCP or UDP header; none where it is quoted by an ICMP error."""
    layers = line["frame.protocols"][0].split(":") if line["frame.protocols"] else []
    for at in range(len(layers) - 1, -1, -1):
        if layers[at] in ("icmp", "icmpv6"):
            return {}
        if layers[at] in ("tcp", "udp") and line[f"{layers[at]}.stream"]:
            break
    else:
        return {}
    if {"icmp", "icmpv6"} & set(layers[:at]):
        return {}
    return (_tcp_facts if layers[at] == "tcp" else _udp_facts)(line, layers[:at])


def _ends(line: Line, layers: list[str], protocol: str) -> str:
    versions = [layer for layer in layers if layer in ("ip", "ipv6")]
    if not versions:
        return ""
    # Of IPv6 addresses with an IPv4 one in them there is more than one text.
    ends = (
        SocketAddress(ip_address(line[f"{versions[-1]}.{end}"][-1]), port)
        for end in ("src", "dst")
        if (port := _number(line, f"{protocol}.{end}port")) is not None
    )
    return " > ".join(map(str, ends))


def _number(line: Line, name: str) -> int | None:
    return int(line[name][-1], 0) if line[name] else None


def _tcp_facts(line: Line, layers: list[str]) -> Facts:
    flags = _number(line, "tcp.flags") or 0
    return {
        "flow": f"tcp {line['tcp.stream'][-1]}",
        "ends": _ends(line, layers, "tcp"),
        "seq": _number(line, "tcp.seq"),
        "ack": _number(line, "tcp.ack") if flags & _ACK else None,
        "flags": flags & 0x1FF,
        "len": _number(line, "tcp.len"),
        "window": _number(line, "tcp.window_size"),
        "urgent": _number(line, "tcp.urgent_pointer") if flags & _FLAGS["URG"] else 0,
        "options": _options_of_tshark(line),
        "checksum": _STATUS.get("".join(line["tcp.checksum.status"][-1:])),
        "notes": " ".join(name.rpartition(".")[2] for name in _NOTES if line[name]),
    }


def _options_of_tshark(line: Line) -> str:
    values: dict[int, list[str]] = {}
    kinds = line["tcp.option_kind"]
    if "0" in kinds:  # the end of options, which tshark shows as often as it is there
        kinds = kinds[: kinds.index("0") + 1]
    stamps = zip(
        line["tcp.options.timestamp.tsval"], line["tcp.options.timestamp.tsecr"], strict=False
    )
    of_kind = {
        2: iter(line["tcp.options.mss_val"]),
        3: iter(line["tcp.options.wscale.shift"]),
        8: (f"{value}/{echo}" for value, echo in stamps),
    }
    for kind in map(int, kinds):
        if kind in of_kind and (value := next(of_kind[kind], None)) is not None:
            values.setdefault(kind, []).append(value)
    return f"{','.join(kinds)} {values}"


def _udp_facts(line: Line, layers: list[str]) -> Facts:
    length = _number(line, "udp.length")
    return {
        "flow": f"udp {line['udp.stream'][-1]}",
        "ends": _ends(line, layers, "udp"),
        "len": None if length is None else length - 8,
        "checksum": _STATUS.get("".join(line["udp.checksum.status"][-1:])),
    }


def main(names: list[str]) -> int:
    """Compare the files of those names."""
    total = 0
    for name in names:
        for each in differences(Path(name)):
            total += 1
            print(f"{name}: packet {each.packet}: {each.fact}: {each.lab} | {each.tshark}")
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
