"""`pantel replay`: decodes captures again, offline."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.atomic_file import check_writable, replacing, write_atomically
from pantel_device.command import Command, UsageError
from pantel_device.pictures import picture_hash
from pantel_device.progress import progress
from pantel_device.replay import ReplayedRun, replay
from pantel_device.sink import Event, Picture
from pantel_link.captures import CaptureEvent, CaptureHeader, read_capture
from pantel_models import View

if TYPE_CHECKING:
    from pantel_device.video import VideoFile

__all__ = ["COMMAND"]

_FAST_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "captures", type=Path, nargs="+", metavar="CAPTURE", help="file written by pantel receive --capture"
    )
    parser.add_argument("--frames", type=Path, metavar="DIR", help="write every picture as DIR/000000.png and so on")
    parser.add_argument("--video", type=Path, metavar="FILE", help="write the pictures as an MP4 video")
    parser.add_argument(
        "--view",
        choices=[view.value for view in View],
        default=View.PERCEPTUAL.value,
        help="which generator paints the pictures (default: %(default)s)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write figures and the pictures' hashes as JSON")


def _run(arguments: argparse.Namespace) -> int:
    for output in (arguments.video, arguments.report):
        if output:
            check_writable(output)
    if arguments.frames:
        _make_folder(arguments.frames)
    runs: list[dict[str, object]] = []
    with ExitStack() as stack:
        album = _Album(arguments.frames, arguments.video, stack)
        for path in arguments.captures:
            events = list(read_capture(path))
            with progress(len(events), f"replay {path}", every_s=5) as done:
                for run in replay(_noted(events, album, done), [album], view=View(arguments.view)):
                    runs.append({"capture": str(path), **_figures(run), "pictures": album.count})
                    sys.stdout.write(_line(path, run, album.count))
    if arguments.report:
        report = {"runs": runs, "pictures": album.entries}
        write_atomically(arguments.report, (json.dumps(report, indent=1) + "\n").encode())
    for message in sorted(album.missing_models):
        sys.stderr.write(f"pantel: warning: {message}\n")
    return 1 if album.missing_models and not album.entries else 0


def _noted(events: list[CaptureEvent], album: _Album, done: Callable[[str], None]) -> Iterator[CaptureEvent]:
    """Yield events, and tell album and progress of them."""
    for event in events:
        if isinstance(event, CaptureHeader):
            album.begin(event)
        yield event
        done(f"{len(album.entries)} pictures")


def _figures(run: ReplayedRun) -> dict[str, object]:
    statistics = run.statistics
    return {
        "seconds": run.seconds,
        "codewords": run.codewords,
        "payloads_damaged": run.payloads_damaged,
        "payloads_cut": run.payloads_cut,
        **asdict(statistics),
        "bit_error_rate": statistics.bit_error_rate,
        "packet_loss": statistics.packet_loss,
    }


def _line(path: Path, run: ReplayedRun, pictures: int) -> str:
    counted = run.statistics
    return (
        f"{path}: {run.seconds:.1f} s, {run.codewords} codewords, {counted.packets_good} packets, "
        f"{counted.packets_lost} lost, {pictures} pictures\n"
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}; name another with --frames") from error
    if taken:
        raise UsageError(f"the folder {folder} is not empty; name another with --frames")


class _Album:
    """A sink that numbers the pictures and writes them where they are wanted.

    Args:
        folder: For picture files; None for none.
        video: Of the video file; None for none.
        stack: Completes the video.

    Attributes:
        missing_models: What was said of streams whose model is not installed.
        entries: For each picture the number of its run, its time and its hash.
        count: Pictures of the present run.
    """

    def __init__(self, folder: Path | None, video: Path | None, stack: ExitStack) -> None:
        self.missing_models: set[str] = set()
        self.entries: list[dict[str, int | str]] = []
        self.count = 0
        self._run = -1
        self._folder = folder
        self._video_path = video
        self._video: VideoFile | None = None
        self._stack = stack
        self._size_px = 0, 0
        self._fps = Fraction(10)

    def begin(self, header: CaptureHeader) -> None:
        """Note that a run of a receiver begins."""
        self._run += 1
        self.count = 0
        self._fps = Fraction(1_000_000_000, header.picture_interval_ns)

    def on_picture(self, picture: Picture) -> None:
        """Number and write a picture."""
        if self._folder is not None:
            path = self._folder / f"{len(self.entries):06d}.png"
            path.write_bytes(cv2.imencode(".png", picture.pixels[..., ::-1], _FAST_PNG)[1].tobytes())
        if self._video_path is not None:
            self._film(self._video_path, picture.pixels)
        self.entries.append({"run": self._run, "time_ns": picture.time_ns, "sha256": picture_hash(picture.pixels)})
        self.count += 1

    def on_event(self, event: Event) -> None:
        """Take note of a model that is missing; the link's counters are read at the end."""
        if event.kind == "model_missing":
            self.missing_models.add(str(event.fields["message"]))

    def close(self) -> None:
        """Hold nothing: the stack completes the video."""

    def _film(self, path: Path, pixels: NDArray[np.uint8]) -> None:
        """Append a picture to the video, which has the size and the pace of the first one."""
        if self._video is None:
            from pantel_device.video import VideoFile

            height, width = pixels.shape[:2]
            self._size_px = width + width % 2, height + height % 2
            beside = self._stack.enter_context(replacing(path))
            self._video = self._stack.enter_context(VideoFile(beside, self._size_px, self._fps))
        if pixels.shape[1::-1] != self._size_px:
            pixels = np.asarray(cv2.resize(pixels, self._size_px, interpolation=cv2.INTER_AREA), np.uint8)
        self._video.add(pixels)


COMMAND = Command("replay", "decode captures again, offline", _add_arguments, _run)
