"""Makes one run of several: what several receivers heard of one transmission, or what one heard in several files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pantel_link.captures.header import CaptureHeader
from pantel_link.captures.reader import CapturedCodeword, CaptureEnd, CaptureEvent
from pantel_link.errors import CaptureError

__all__ = ["merge_captures"]


def merge_captures(events: Iterable[CaptureEvent]) -> list[CaptureEvent]:
    """Return one run that has heard what all runs have, in the order of UTC.

    Who receives it drops what came twice, as always. The clocks of the receivers must be roughly equal, to a second or
    better: a packet that only the receiver with the later clock has heard is dated later than it was by the difference.
    The head is that of the earliest run; what other runs knew beforehand, their senders have to introduce again.

    Args:
        events: What `read_capture` yields, of all captures one after the other.

    Raises:
        CaptureError: Runs cannot belong together: their bit rates differ, or some did not know the time.
    """
    runs: list[CaptureHeader] = []
    dated: list[tuple[int, CapturedCodeword]] = []
    ends_ns: list[int] = []
    begun_ns: dict[int, int] = {}  # by the index of the run
    for event in events:
        match event:
            case CaptureHeader():
                runs.append(event)
            case CapturedCodeword() if runs:
                utc_ns = event.arrival_ns + runs[-1].clock_offset_ns
                dated.append((utc_ns, event))
                begun_ns.setdefault(len(runs) - 1, utc_ns)
            case CaptureEnd(time_ns) if runs:
                ends_ns.append(time_ns + runs[-1].clock_offset_ns)
    if not runs:
        return []
    _check(runs)
    header = runs[min(begun_ns, key=lambda run: begun_ns[run], default=0)]
    dated.sort(key=lambda each: each[0])
    merged: list[CaptureEvent] = [header]
    merged += [replace(event, arrival_ns=utc_ns - header.clock_offset_ns) for utc_ns, event in dated]
    if ends_ns and (not dated or max(ends_ns) >= dated[-1][0]):
        merged.append(CaptureEnd(max(ends_ns) - header.clock_offset_ns))
    return merged


def _check(runs: list[CaptureHeader]) -> None:
    if len({run.bitrate_bps for run in runs}) > 1:
        rates = ", ".join(sorted({f"{run.bitrate_bps}" for run in runs}))
        raise CaptureError(f"captures of different bit rates ({rates} bit/s) cannot be of one transmission")
    if any(run.clock_offset_ns for run in runs) and not all(run.clock_offset_ns for run in runs):
        raise CaptureError("some of the captures cannot be merged: their receivers did not know the time")
