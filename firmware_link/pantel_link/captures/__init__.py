"""Captures: every codeword that a receiver heard, as a pcapng file that Wireshark opens and `pantel replay` decodes."""

from pantel_link.captures.header import CaptureHeader
from pantel_link.captures.reader import CapturedCodeword, CaptureEnd, CaptureEvent, read_capture
from pantel_link.captures.replay import ReplayLink, ReplayPort
from pantel_link.captures.writer import CaptureWriter

__all__ = [
    "CaptureEnd",
    "CaptureEvent",
    "CaptureHeader",
    "CaptureWriter",
    "CapturedCodeword",
    "ReplayLink",
    "ReplayPort",
    "read_capture",
]
