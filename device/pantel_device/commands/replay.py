"""`pantel replay`: decodes captures again, offline."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.atomic_file import check_outputs, replacing, write_atomically
from pantel_device.command import Command, UsageError, used_wrongly
from pantel_device.commands.options import file_name, share
from pantel_device.commands.replay_archive import add_archive_options, is_archive, run_archive
from pantel_device.pictures import picture_hash
from pantel_device.printable import printable
from pantel_device.progress import progress
from pantel_device.receiving.replay import ReplayedRun, refusal, replay
from pantel_device.receiving.sink import Event, Picture
from pantel_link import KeyFileError, read_key
from pantel_link.captures import CapturedCodeword, CaptureEvent, CaptureHeader, impair, merge_captures, read_capture
from pantel_models import View

if TYPE_CHECKING:
    from pantel_device.video import VideoFile

__all__ = ["COMMAND"]

_FAST_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "captures",
        type=file_name,
        nargs="+",
        metavar="CAPTURE",
        help="file written by pantel receive --capture, or a folder of them",
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="make one run of all captures, in the order of UTC: what one receiver wrote into several files, or what "
        "several receivers heard of one transmission; their clocks must be equal to a second or better",
    )
    parser.add_argument(
        "--key", type=file_name, metavar="FILE", help="key of the receiver, for captures of senders that have one"
    )
    parser.add_argument(
        "--loss", type=share, default=0.0, metavar="P", help="lose codewords with this probability, too"
    )
    parser.add_argument(
        "--ber", type=share, default=0.0, metavar="P", help="invert bits of codewords with this probability, too"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of --loss and --ber (default: %(default)s)"
    )
    parser.add_argument("--frames", type=Path, metavar="DIR", help="write every picture as DIR/000000.png and so on")
    parser.add_argument("--video", type=file_name, metavar="FILE", help="write the pictures as an MP4 video")
    parser.add_argument(
        "--view",
        choices=[view.value for view in View],
        default=View.PERCEPTUAL.value,
        help="which generator paints the pictures (default: %(default)s)",
    )
    parser.add_argument(
        "--report",
        type=file_name,
        metavar="FILE",
        help="write figures and the pictures' hashes as JSON; of an archive a summary, as a page if it ends in .html",
    )
    add_archive_options(parser)


def _run(arguments: argparse.Namespace) -> int:
    if is_archive(arguments):
        return run_archive(arguments)
    check_outputs((arguments.video, arguments.report), arguments.captures)
    if arguments.frames:
        _make_folder(arguments.frames)
    with used_wrongly(KeyFileError):
        key = read_key(arguments.key) if arguments.key else None
    runs: list[dict[str, object]] = []
    warnings: set[str] = set()
    with ExitStack() as stack:
        album = _Album(arguments.frames, arguments.video, stack)
        for name, captured in _captures(arguments.captures, merge=arguments.merge):
            whole = list(captured)
            if _only_sent(whole):
                warnings.add(f"{name} holds only what was sent; replay what a receiver has recorded")
                continue
            events = list(impair(whole, loss=arguments.loss, bit_error_rate=arguments.ber, seed=arguments.seed))
            with progress(len(events), f"replay {name}", every_s=5) as done:
                for run in replay(_noted(events, album, done), [album], view=View(arguments.view), key=key):
                    runs.append({"capture": name, **_figures(run), "pictures": album.count})
                    warnings |= {refusal(context) for context in run.refused}
                    sys.stdout.write(_line(name, run, album.count))
    if arguments.report:
        report = {"runs": runs, "pictures": album.entries, "alarms": album.alarms}
        write_atomically(arguments.report, (json.dumps(report, indent=1) + "\n").encode())
    warnings |= album.missing_models
    for message in sorted(warnings):
        sys.stderr.write(f"pantel: warning: {printable(message)}\n")
    return 1 if warnings and not album.entries else 0


def _captures(paths: list[Path], *, merge: bool) -> Iterator[tuple[str, Iterable[CaptureEvent]]]:
    """Yield the captures and their names, one after the other or all as one."""
    if merge:
        yield (
            " + ".join(str(path) for path in paths),
            merge_captures(event for path in paths for event in read_capture(path)),
        )
    else:
        for path in paths:
            yield str(path), read_capture(path)


def _only_sent(events: list[CaptureEvent]) -> bool:
    """Whether a capture is a sender's: it has codewords, and none of them was heard."""
    directions = {event.outbound for event in events if isinstance(event, CapturedCodeword)}
    return directions == {True}


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


def _line(name: str, run: ReplayedRun, pictures: int) -> str:
    counted = run.statistics
    return (
        f"{printable(name)}: {run.seconds:.1f} s, {run.codewords} codewords, {counted.packets_good} packets, "
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
        alarms: For each alarm the number of its run, its time, and what its event says.
        count: Pictures of the present run.
    """

    def __init__(self, folder: Path | None, video: Path | None, stack: ExitStack) -> None:
        self.missing_models: set[str] = set()
        self.entries: list[dict[str, int | str]] = []
        self.alarms: list[dict[str, str | int | float | None]] = []
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
        """Take note of alarms and of a model that is missing; the link's counters are read at the end."""
        if event.kind == "model_missing":
            self.missing_models.add(str(event.fields["message"]))
        elif event.kind == "alarm":
            self.alarms.append({"run": self._run, "time_ns": event.time_ns, **event.fields})

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
