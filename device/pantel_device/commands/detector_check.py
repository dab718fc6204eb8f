"""What `pantel models check` says about a detector: what it is, how long it takes, and what it finds."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pantel_device.atomic_file import check_writable
from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.command import CommandError
from pantel_device.frame import Box
from pantel_device.observer.coco import COCO_CLASSES
from pantel_device.observer.detectors import OnnxDetector
from pantel_device.pictures import check_picture_suffix, read_picture, write_picture
from pantel_device.rendering.drawing import draw_boxes
from pantel_models import ModelError, detector_macs

__all__ = ["check_detector", "drawing_place"]

_SIZE_PX = (640, 480)  # of the test picture
_RUNS = 5
_SAME_IOU = 0.5
_MOST_NAMED = 8


def drawing_place(path: Path, out: Path | None) -> Path:
    """Return where `check_detector` shall draw what a detector finds.

    Args:
        path: Of the detector.
        out: What the user has named; None for a file in the current folder.

    Raises:
        UsageError: Nothing can be drawn there.
    """
    if out is None:
        return Path(f"{path.stem}-check.png")
    check_picture_suffix(out)
    check_writable(out)
    return out


def check_detector(path: Path, picture: Path | None, target: Path) -> None:
    """Tell what a detector is, let it look at pictures, and write what it sees there into a picture file.

    The test picture is the first one of the `test` camera, in which people stand whose boxes are known.

    Args:
        path: The ONNX file.
        picture: A picture of the user's to look at, too; this one is drawn then.
        target: Where to draw, as `drawing_place` returns it.

    Raises:
        DetectorError: The file cannot be used.
        PictureError: The user's picture cannot be read.
        CommandError: Nothing is found where something is, or the drawing cannot be written.
    """
    detector = OnnxDetector(path)
    own = None if picture is None else read_picture(picture)
    test, truth = _test_picture()
    drawn = test if own is None else own
    _say(f"{path}: a detector")
    _say_what_it_is(detector, path, drawn)
    boxes = detector.detect(test)
    found = sum(any(box.iou(person) >= _SAME_IOU for box in boxes) for person in truth)
    _say(f"test picture  {found} of {len(truth)} people found; {_list(boxes)}")
    own_boxes: tuple[Box, ...] = ()
    if own is not None:
        own_boxes = detector.detect(own)
        _say(f"your picture  {_list(own_boxes)}")
    try:
        write_picture(target, draw_boxes(drawn, boxes if own is None else own_boxes))
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error.strerror}") from error
    _say(f"drawn to      {target}")
    if not found and not own_boxes:
        what = "nothing was found" if not boxes else "none of the people was found"
        raise CommandError(
            f"{what} in the test picture{'' if own is None else ', and nothing in yours'}: this may not be the layout "
            f"{detector.layout.name}, or a detector that does not look for people; look at {target}"
            f"{', or name a picture of your own with --picture' if own is None else ''}"
        )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _say_what_it_is(detector: OnnxDetector, path: Path, pixels: NDArray[np.uint8]) -> None:
    graph, layout = detector.graph, detector.layout
    size = width, height = graph.size_for((pixels.shape[1], pixels.shape[0]))
    any_size = "" if graph.size_px else f", of any multiple of {graph.stride_px}"
    _say(f"layout        {layout.name}, {graph.maps}")
    _say(f"input         {width}x{height}{any_size}, {graph.dtype.__name__}, {layout.input_format.fit.value}")
    if detector.labels == COCO_CLASSES:
        _say(f"classes       the {len(detector.labels)} of COCO, of which {len(detector.wanted)} count")
    else:
        _say(f"classes       {len(detector.labels)}: {_cut(detector.labels)}")
    _say(f"operations    {_macs(path, size)}")
    _say(f"time          {_median_ms(detector, pixels):.0f} ms per picture, median of {_RUNS} on one thread")


def _macs(path: Path, input_px: tuple[int, int]) -> str:
    try:
        return f"{detector_macs(path, input_px) / 1e6:,.0f} million multiply-accumulates per picture"
    except ImportError:
        return "not counted: needs onnx (pip install onnx)"
    except ModelError:
        return "not counted: a node's size is not known"


def _median_ms(detector: OnnxDetector, pixels: NDArray[np.uint8]) -> float:
    times_s = []
    for _ in range(_RUNS):
        began_s = time.perf_counter()
        detector.detect(pixels)
        times_s.append(time.perf_counter() - began_s)
    return 1000 * median(times_s)


def _list(boxes: Sequence[Box]) -> str:
    if not boxes:
        return "no boxes"
    named = _cut([f"{box.label} {box.score:.2f}" for box in boxes])
    return f"{len(boxes)} box{'' if len(boxes) == 1 else 'es'}: {named}"


def _cut(words: Sequence[str]) -> str:
    return ", ".join([*words[:_MOST_NAMED], *(["…"] if len(words) > _MOST_NAMED else [])])


def _test_picture() -> tuple[NDArray[np.uint8], tuple[Box, ...]]:
    """Return a picture (H, W, 3) uint8 RGB and the boxes of the people in it."""
    camera = SyntheticCamera(_SIZE_PX, fps=10.0)
    frame = camera.capture(0)
    if frame is None:
        raise CommandError("the test camera shows nothing; install pantel again")
    return frame.pixels, tuple(box for box in camera.truth(0) if box.label == "person")
