"""What an older version sent, and somebody recorded, is still understood."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pantel_link.captures import CapturedCodeword, CaptureHeader, ReplayLink, read_capture

CAPTURES = Path(__file__).parents[1] / "captures"


def test_a_capture_of_version_1_replays() -> None:
    """12 s of the bundled scene at a bit error rate of 1e-3, recorded by the last program that spoke version 1."""
    header, *events = read_capture(CAPTURES / "version-1.pcapng")
    assert isinstance(header, CaptureHeader)
    link = ReplayLink(bitrate_bps=header.bitrate_bps)
    received = [
        each
        for event in events
        if isinstance(event, CapturedCodeword)
        for each in link.receive_codeword(event.octets, event.arrival_ns)
    ]
    payloads = hashlib.sha256(b"".join(each.packet.payload for each in received)).hexdigest()
    assert payloads == "0e54c3f376680e2b89bf0da53c308985c7b66c82cf8d30572bd8402bb98bcff2"
    (context,) = link.contexts
    assert (context.version, context.callsign, context.width_px) == (1, "N0CALL", 320)
    assert (link.statistics.packets_good, link.statistics.packets_lost) == (27, 2)
    assert link.statistics.corrected_octets == 11
