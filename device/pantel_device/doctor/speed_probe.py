"""A program that lets a sender and a receiver work for two seconds, and says as JSON how fast they are.

It is run by the doctor in a process of its own, because libraries that do not fit the processor crash.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from statistics import fmean

from pantel_device.cameras import open_camera
from pantel_device.observer import (
    WEAK_SCORE,
    DetectorPace,
    MotionDetector,
    Observer,
    open_contour_finder,
    open_detector,
)
from pantel_device.receiving.receiver import PICTURE_INTERVAL_NS, Receiver
from pantel_device.receiving.sink import Event, Picture
from pantel_device.scene_encoding.contours.sketch_encoder import SketchEncoder
from pantel_device.scene_encoding.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_device.sending.sender import Sender
from pantel_device.sending.stream import stream_context
from pantel_link import DEFAULT_CALLSIGN, LinkReceiver, LinkSender, Preset, StreamProfile, memory_pair
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_models import View, find_artefact, load_scene_codec

__all__ = ["main"]

_LONGEST_S = 2.0
_LEAST_PICTURES = 3
_MOST_S = 5.0  # until there are so many
_SKIPPED = 2  # frames and pictures at the beginning, of which all is new


def main(argv: Sequence[str]) -> None:
    """Write a JSON object: ``frame_ms``, ``picture_ms``, null where nothing was measured.

    Args:
        argv: Width and height of the picture [px], frames a second, detector, ``sketch`` or ``picture``, and the view.
    """
    width, height, fps, detector, mode, view = argv
    trial = _Trial((int(width), int(height)), float(fps), detector, View(view), is_sketch=mode == "sketch")
    trial.run()
    sys.stdout.write(f"{json.dumps({'frame_ms': trial.frame_ms, 'picture_ms': trial.picture_ms})}\n")


class _Trial:
    """A sender and a receiver on a clock that goes as fast as they do.

    Args:
        size_px: Width and height of the picture.
        fps: Frames a second.
        detector: As `open_detector` takes it.
        view: Who paints.
        is_sketch: Whether the sender draws.
    """

    def __init__(self, size_px: tuple[int, int], fps: float, detector: str, view: View, *, is_sketch: bool) -> None:
        artefact = find_artefact()
        codec = load_scene_codec(artefact)
        settings = SceneEncoderSettings()
        near, far = memory_pair()
        context = stream_context(artefact, callsign=DEFAULT_CALLSIGN, epoch=0, size_px=size_px)
        self._interval_ns = round(1e9 / fps)
        self._frame_times_s: list[float] = []
        self._drawn = _Drawn()
        self._sender = Sender(
            camera=open_camera("test", size_px, fps),
            observer=Observer(
                MotionDetector(),
                open_detector(detector, min_score=WEAK_SCORE, picture_px=size_px),
                detect_every=DetectorPace(1 / fps, time.perf_counter),
            ),
            encoder=SketchEncoder(codec, size_px, settings, open_contour_finder(""))
            if is_sketch
            else SceneEncoder(codec, size_px, settings),
            link=LinkSender(context, now_ns=0, profile=StreamProfile(Preset.STANDARD), bitrate_bps=DEFAULT_BITRATE_BPS),
            port=near,
        )
        self._receiver = Receiver(
            port=far, link=LinkReceiver(bitrate_bps=DEFAULT_BITRATE_BPS), sinks=[self._drawn], view=view
        )

    @property
    def frame_ms(self) -> float | None:
        """Mean time of all work from one frame to the next [ms]: the detector does not look at each of them."""
        times_s = self._frame_times_s[_SKIPPED:]
        return 1000 * fmean(times_s) if times_s else None

    @property
    def picture_ms(self) -> float | None:
        """Mean time to draw a picture [ms]: most of them take little, those of a new background much more."""
        times_s = self._drawn.times_s[_SKIPPED:]
        return 1000 * fmean(times_s) if times_s else None

    def run(self) -> None:
        """Work until enough is known, or it takes too long."""
        began_s = time.perf_counter()
        now_ns = next_frame_ns = next_picture_ns = 0
        while (spent_s := time.perf_counter() - began_s) < _MOST_S:
            if spent_s >= _LONGEST_S and len(self._drawn.times_s) >= _SKIPPED + _LEAST_PICTURES:
                break
            if now_ns >= next_frame_ns:
                self._frame_times_s.append(0.0)
                next_frame_ns += self._interval_ns
            started_s = time.perf_counter()
            due_ns = self._sender.advance(now_ns)
            self._frame_times_s[-1] += time.perf_counter() - started_s
            if now_ns >= next_picture_ns:
                self._drawn.start()
                self._receiver.advance(now_ns)
                next_picture_ns += PICTURE_INTERVAL_NS
            now_ns = max(now_ns + 1, min(due_ns, next_picture_ns, next_frame_ns))


class _Drawn:
    """A sink that takes the time of each picture."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self._started_s = 0.0

    def start(self) -> None:
        """A picture may be drawn from now on."""
        self._started_s = time.perf_counter()

    def on_picture(self, picture: Picture) -> None:  # noqa: ARG002 - only its time matters
        """Take note of how long it took."""
        self.times_s.append(time.perf_counter() - self._started_s)

    def on_event(self, event: Event) -> None:
        """Ignore events."""

    def close(self) -> None:
        """Hold nothing."""


if __name__ == "__main__":
    main(sys.argv[1:])
