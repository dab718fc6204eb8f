"""Malice behind the checks: payloads whose trailer is right, and files that pass for captures."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tests.firmware_link.attacks.line import changed
from tests.firmware_link.attacks.report import Report
from tests.firmware_link.attacks.station import MASTER, CountingKeyring, Mast

from pantel_link import Identity, Keyring, LinkReceiver, PacketKind, Security, StreamContext
from pantel_link.captures import (
    CapturedCodeword,
    CaptureEvent,
    CaptureHeader,
    CaptureWriter,
    LinkType,
    ReplayLink,
    ReplayPort,
    merge_captures,
    read_capture,
    summarize,
)
from pantel_link.captures.pcapng import OPT_COMMENT, SECTION_HEADER, make_block, read_blocks, read_options
from pantel_link.errors import CaptureError
from pantel_link.framing import frame_packet
from pantel_link.messages import Alarm, Telemetry, TextAssembler, TextPart, text_parts
from pantel_link.region import Region
from pantel_link.stills import Fragment, StillAssembler, StillBlock
from pantel_link.wire_format import WIRE_FORMATS

__all__ = ["attack_captures", "attack_payloads"]

_CAPTURES = Path(__file__).parents[2] / "captures"
_CONTEXT = StreamContext(5, "DL1ABC", 7, b"abc", 320, 240)
_NUMBERS: tuple[object, ...] = (-1, 0, 1, 1 << 26, 1 << 31, 1 << 40, 1 << 70, 1e308, 0.5, None, True, "", "7", [], {})


def attack_payloads(report: Report, count: int, generator: random.Random) -> None:
    """Give so many payloads to those who read them: their one error, or a value that is what was in the octets."""
    readers = _Readers(report)
    genuine = _payloads(generator)
    reads: tuple[Callable[[bytes], None], ...] = (
        readers.still,
        readers.text,
        readers.telemetry,
        readers.identity,
        readers.alarm,
    )
    for _ in range(count):
        report.inputs["payloads"] += 1
        if generator.random() < 0.3:
            payload = generator.randbytes(generator.randrange(130))
        else:
            payload = changed(generator, generator.choice(genuine))
        report.attempt(payload, partial(generator.choice(reads), payload))


class _Readers:
    """Those who read payloads, and what must hold of all that they return."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._stills = StillAssembler()
        self._texts = TextAssembler()
        self._now_ns = 0

    def still(self, payload: bytes) -> None:
        fragment = Fragment.from_payload(payload)
        self._now_ns += 1_000_000_000
        still = self._stills.take(_CONTEXT, fragment, self._now_ns)
        self._demand(fragment.to_payload() == payload, "a symbol changed", payload)
        self._demand(len(self._stills._blocks) <= 128, "too many blocks", payload)
        if still is not None:
            self._demand(
                still.complete == (still.symbols >= still.content_symbols), "a still is half complete", payload
            )

    def text(self, payload: bytes) -> None:
        part = TextPart.from_payload(payload)
        self._texts.take(_CONTEXT, part)
        self._demand(part.to_payload() == payload[:2] + payload[2:].rstrip(b"\0"), "a text changed", payload)
        self._demand(len(self._texts._open) <= 128 and len(self._texts._shown) <= 256, "too many texts", payload)

    def telemetry(self, payload: bytes) -> None:
        telemetry = Telemetry.from_payload(payload)
        self._demand(Telemetry.from_payload(telemetry.to_payload(1000)) == telemetry, "a measure changed", payload)

    def alarm(self, payload: bytes) -> None:
        alarm = Alarm.from_payload(payload)
        told = alarm.to_payload(1000)
        self._demand(Alarm.from_payload(told) == alarm, "an alarm changed", payload)
        self._demand(told[:3] == payload[:3] and told[4:8] == payload[4:8], "an alarm says something else", payload)
        self._demand(alarm.zone.isprintable(), "a zone would not stay in its line", payload)

    def identity(self, payload: bytes) -> None:
        version = 1 + len(payload) % 2
        identity = Identity.from_payload(5, payload, version=version)
        told = identity.to_payload()
        self._demand(told == payload[: len(told)], "an identity changed", payload)

    def _demand(self, holds: bool, complaint: str, payload: bytes) -> None:
        if not holds:
            self._report.complain(f"{complaint}, input {payload.hex()}")


def _payloads(generator: random.Random) -> list[bytes]:
    block = StillBlock(3, generator.randbytes(400), 109)
    mast = Telemetry(battery_v=12.5, temperature_c=-3.0, latitude_deg=52.5, longitude_deg=13.4, uptime_s=1e6)
    return [
        *(block.next_payload() for _ in range(8)),
        *(part.to_payload() for part in text_parts(7, "73 de DL1ABC, it is snowing — and the battery holds" * 2, 33)),
        mast.to_payload(33),
        mast.to_payload(12),
        Alarm(200, True, 1, 3.5, Region(0.2, 0.3, 0.4, 0.9), "Einfahrt Süd").to_payload(33),
        Alarm(200, False, 0, 400.0, Region(0.0, 0.0, 1.0, 1.0), "").to_payload(21),
        Identity(_CONTEXT, 7, 1_700_000_000).to_payload(),
    ]


@dataclass(frozen=True, slots=True)
class _Original:
    """A capture as it was written, who may read it, and what is in it."""

    octets: bytes
    keyring: CountingKeyring
    packets: frozenset[tuple[PacketKind, int, int, bytes]]


def attack_captures(report: Report, count: int, generator: random.Random, folder: Path) -> None:
    """Give so many damaged captures to everything that reads captures: replay, summary and merging."""
    path = folder / "damaged.pcapng"
    originals = list(_originals(generator, folder))
    for _ in range(count):
        report.inputs["captures"] += 1
        original = generator.choice(originals)
        octets = _damaged(generator, original.octets)
        path.write_bytes(octets)
        report.attempt(octets, partial(_read, path, original, report))


def _read(path: Path, original: _Original, report: Report) -> None:
    try:
        events = list(read_capture(path))
    except CaptureError:
        report.refused += 1
        return
    summarize(events, MASTER)
    summarize(events)
    try:
        merge_captures(events)
    except CaptureError:
        report.refused += 1
    before = original.keyring.checks
    for packet in _packets(events, original.keyring) - original.packets:
        report.deceive(packet)
    report.checked += original.keyring.checks > before


def _packets(events: list[CaptureEvent], keyring: Keyring) -> set[tuple[PacketKind, int, int, bytes]]:
    """Return what a replay delivers."""
    found = set()
    link: ReplayLink | None = None
    for event in events:
        match event:
            case CaptureHeader():
                link = ReplayLink.from_header(event, ReplayPort("replay"), keyring=keyring)
            case CapturedCodeword() if link is not None:
                packets = [each.packet for each in link.receive_captured(event, event.arrival_ns)]
                found |= {(each.kind, each.sequence, each.tick, each.payload) for each in packets}
    return found


def _originals(generator: random.Random, folder: Path) -> Iterator[_Original]:
    """Yield captures of both versions, of all link types, with and without a key."""
    paths = [(_CAPTURES / f"version-{version}.pcapng", CountingKeyring()) for version in (1, 2)]
    for link_type in LinkType:
        path = folder / f"{link_type.name}.pcapng"
        _write_capture(path, link_type, generator)
        paths.append((path, CountingKeyring(MASTER)))
    for path, keyring in paths:
        # What was sent may, by a wrong bit in the file, have been received.
        events = [
            replace(event, outbound=False) if isinstance(event, CapturedCodeword) else event
            for event in read_capture(path)
        ]
        yield _Original(path.read_bytes(), keyring, frozenset(_packets(events, keyring)))


def _write_capture(path: Path, link_type: LinkType, generator: random.Random) -> None:
    """Write what was heard of a mast with a key, from the middle of its stream on: the head tells the counter."""
    mast = Mast(replace(_CONTEXT, security=Security.ENCRYPTED), 5000)
    header = CaptureHeader(contexts=(mast.context,), counters={mast.context: 4999}, clock_offset_ns=1_700_000_000 << 30)
    writer = CaptureWriter(path, header, interface="line", link_type=link_type)
    receiver = LinkReceiver(listener=writer, keyring=Keyring(MASTER))
    for number in range(20):
        packet = mast.next_packet(generator, PacketKind.IDENT if number % 8 == 2 else None, 30)
        if link_type.whole:
            receiver.receive_packet(packet.to_bytes(mast.seal), number * 400_000_000)
        else:
            wire_format = WIRE_FORMATS[1 if len(packet.payload) <= WIRE_FORMATS[1].payload_octets else 4]
            receiver.receive(frame_packet(packet, mast.seal, wire_format), number * 400_000_000)
    writer.close(9_000_000_000)


def _damaged(generator: random.Random, octets: bytes) -> bytes:
    """Return a capture with damage, or with a head that somebody has thought about, or both."""
    if generator.random() < 0.5:
        octets = _with_other_head(generator, octets)
    if generator.random() < 0.7:
        octets = changed(generator, octets)
    if generator.random() < 0.1:
        octets += octets[: generator.randrange(len(octets))]
    return octets[: generator.randrange(len(octets) + 1)] if generator.random() < 0.1 else octets


def _with_other_head(generator: random.Random, octets: bytes) -> bytes:
    """Return a capture whose first section says something else of one thing."""
    first = next(read_blocks(io.BytesIO(octets)))
    options = dict(read_options(first.body[16:], first.order))
    values = json.loads(options[OPT_COMMENT])
    name = generator.choice(sorted(values))
    number = generator.choice(_NUMBERS)
    match values[name]:
        case [*contexts] if contexts and generator.random() < 0.7:
            values[name] = [generator.choice((number, context, context[:-2], context * 2)) for context in contexts]
        case {**counters} if counters and generator.random() < 0.7:
            values[name] = dict.fromkeys(counters, number)
        case _:
            values[name] = number
    head = make_block(SECTION_HEADER, first.body[:16], [(OPT_COMMENT, json.dumps(values).encode())])
    return head + octets[first.end :]
