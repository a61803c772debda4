"""A capture file, understood, as one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.analysis.encapsulation import not_entered
from lab.analysis.flow_remarks import flow_remarks
from lab.analysis.flows.checksums import judge_checksums
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, cut_endpoints, transport_endpoints
from lab.analysis.packets.packet import Packet, Tcp, TcpOption, Tunnel, Udp, Vlan
from lab.analysis.tcp.conversation import TcpConversation
from lab.report.document.frames import flow_documents, frame_documents
from lab.report.document.ids import Document

if TYPE_CHECKING:
    from lab.analysis.select.selection import Selection
    from lab.pcap.capture import CaptureFile, ClockSteps

SCHEMA = "wirelab.capture/1"


def capture_document(
    capture: CaptureFile,
    crossings: Sequence[Crossing],
    flows: Sequence[Flow],
    conversations: Sequence[TcpConversation],
    packets: Sequence[int],
    canaries: int,
    selection: Selection | None = None,
) -> Document:
    """What `wirelab show` shows, as JSON types.

    `packets` are the numbers that the crossings' frames have in the file. With a `selection` the
    others are what it selects.
    """
    wholes = selection.wholes if selection else {}
    conversation_of = {each.flow.number: each for each in conversations}
    of_flow = {each.number: flow for flow in flows for each in flow.crossings}
    judged = {
        flow.id: conversation_of[flow.number].checksums
        if flow.protocol == "tcp"
        else judge_checksums(wholes.get(flow.id, flow))
        for flow in flows
    }
    frames = []
    for crossing, packet, frame in zip(
        crossings, packets, frame_documents(crossings, conversations), strict=True
    ):
        flow = of_flow.get(crossing.number)
        wrong = judged[flow.id].wrong if flow else frozenset()
        frames.append({**frame, "packet": packet, **_more(crossing, flow, frame, wrong)})
    documents = [*flow_documents(flows, conversations)]
    for flow, document in zip(flows, documents, strict=True):
        conversation = conversation_of[flow.number] if flow.protocol == "tcp" else None
        document["remarks"] = list(flow_remarks(wholes.get(flow.id, flow), conversation))
    return {
        "schema": SCHEMA,
        "name": capture.name,
        "broken": capture.broken or None,
        "interrupted": capture.stopped,
        "clock_steps": _clock_steps(capture.clock_steps),
        "untimed": [_by_fields(each) for each in capture.untimed],
        "left_out": [_by_fields(each) for each in capture.left_out],
        "canaries": canaries,
        "selected": None if selection is None else _selected(selection),
        "frames": frames,
        "flows": documents,
    }


def _selected(selection: Selection) -> Document:
    asked = selection.asked
    return {
        "flows": list(asked.flows),
        "filter": asked.filter_text or None,
        "frames": asked.numbers_text or None,
        "of_frames": selection.of_frames,
    }


def _by_fields(record: object) -> Document:
    return {name: getattr(record, name) for name in record.__slots__}  # type: ignore[attr-defined]


def _clock_steps(steps: ClockSteps | None) -> Document | None:
    if steps is None:
        return None
    first, largest = _by_fields(steps.first), _by_fields(steps.largest)
    return {"times": steps.times, "first": first, "largest": largest}


def _more(
    crossing: Crossing, flow: Flow | None, frame: Document, wrong: frozenset[int]
) -> Document:
    """What of a frame stands in no run's report, whose hosts and links are known."""
    packet = crossing.packet
    source, destination = _ends(packet)
    document: Document = {
        "source": source,
        "destination": destination,
        "vlans": [layer.identifier for layer in packet.layers if isinstance(layer, Vlan)],
        "tunnels": [_tunnel(layer) for layer in packet.layers if isinstance(layer, Tunnel)],
        "not_entered": not_entered(packet) or None,
    }
    tcp, udp = packet.tcp, packet.udp
    if flow is not None:
        document["flow"] = str(flow.id)
    if tcp is not None and flow is not None:
        document["tcp"] = {
            **frame["tcp"],
            **_tcp(tcp),
            "checksum": _checksum(tcp, is_wrong=crossing.number in wrong),
        }
    elif udp is not None and flow is not None:
        checksum = _checksum(udp, is_wrong=crossing.number in wrong)
        document["udp"] = {**frame["udp"], "checksum": checksum}
    return document


def _ends(packet: Packet) -> tuple[str | None, str | None]:
    """Source and destination, with ports where it has them."""
    ends = transport_endpoints(packet)
    if ends is None and (cut := cut_endpoints(packet)) is not None:
        ends = cut[1:]
    if ends is not None:
        return str(ends[0]), str(ends[1])
    ip = packet.ip
    return (None, None) if ip is None else (str(ip.source), str(ip.destination))


def _tunnel(tunnel: Tunnel) -> Document:
    return {
        "name": tunnel.name,
        "identifiers": list(tunnel.identifiers),
        "source": str(tunnel.source) if tunnel.source else None,
        "destination": str(tunnel.destination) if tunnel.destination else None,
    }


def _tcp(tcp: Tcp) -> Document:
    """The header as it was sent."""
    return {
        "seq_raw": tcp.seq,
        "ack_raw": tcp.ack,
        "window_raw": tcp.window,
        "urgent_pointer": tcp.urgent_pointer,
        "options": [_option(option) for option in tcp.options],
    }


def _option(option: TcpOption) -> Document:
    """Of an unknown option the data, in hexadecimal."""
    value = option.value
    if isinstance(value, bytes):
        return {"kind": option.kind, "name": option.name, "value": value.hex()}
    known = list(value) if isinstance(value, tuple) else value
    return {"kind": option.kind, "name": option.name, "value": known}


def _checksum(header: Tcp | Udp, *, is_wrong: bool) -> Document:
    """What it is and ought to be, and what is made of that."""
    if header.checksum_ok is None:
        judged = None
    elif header.checksum_ok:
        judged = "right"
    else:
        judged = "wrong" if is_wrong else "left to the network card"
    return {"value": header.checksum, "right": header.right_checksum, "judged": judged}
