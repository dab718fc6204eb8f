"""Captures: what was heard and sent, as a pcapng file that Wireshark opens and `pantel replay` decodes."""

from pantel_link.captures.dissector import DISSECTOR
from pantel_link.captures.family import CaptureFamily, CaptureLimits
from pantel_link.captures.header import CaptureHeader
from pantel_link.captures.impair import impair
from pantel_link.captures.link_type import LinkType
from pantel_link.captures.merge import merge_captures
from pantel_link.captures.reader import CapturedCodeword, CaptureEnd, CaptureEvent, read_capture
from pantel_link.captures.replay import ReplayLink, ReplayPort
from pantel_link.captures.rotation import capture_families, join_rotated
from pantel_link.captures.sender_summary import SenderSummary, Silence
from pantel_link.captures.summary import CaptureSummary, summarize
from pantel_link.captures.writer import CaptureWriter

__all__ = [
    "DISSECTOR",
    "CaptureEnd",
    "CaptureEvent",
    "CaptureFamily",
    "CaptureHeader",
    "CaptureLimits",
    "CaptureSummary",
    "CaptureWriter",
    "CapturedCodeword",
    "LinkType",
    "ReplayLink",
    "ReplayPort",
    "SenderSummary",
    "Silence",
    "capture_families",
    "impair",
    "join_rotated",
    "merge_captures",
    "read_capture",
    "summarize",
]
