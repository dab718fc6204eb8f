"""A `cv2.ximgproc` without opencv-contrib: what the real one (4.5 to 5.0) does that an adapter can get wrong.

It takes float32 RGB in 0..1 and nothing else, answers with lines that are several pixels wide, and believes what is in
a file: where the real one would end the process, this one raises an `AssertionError`.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["StructuredEdgeDetection", "forest", "make_ximgproc", "write_forest"]

Votes = NDArray[np.float32]

_FOREST: dict[str, Any] = {
    "numberOfTrees": 2,
    "numberOfTreesToEvaluate": 1,
    "selfsimilarityGridSize": 5,
    "stride": 2,
    "shrinkNumber": 2,
    "patchSize": 32,
    "patchInnerSize": 16,
    "numberOfGradientOrientations": 4,
    "gradientSmoothingRadius": 0,
    "regFeatureSmoothingRadius": 2,
    "ssFeatureSmoothingRadius": 8,
    "gradientNormalizationRadius": 4,
    # Two trees of a root with two leaves; the second tree is a leaf and two nodes that are not in use.
    "childs": [[2, 0, 0], [0, 0, 0]],
    "featureIds": [[17, 0, 0], [0, 0, 0]],
    "thresholds": [[1.5e-01, 0, 0], [0, 0, 0]],
    "edgeBoundaries": [[0, 0, 0, 2], [3, 3, 3]],
    "edgeBins": [[7, 23], [8]],
}


def forest(**changes: Any) -> str:
    """Return a small forest as OpenCV's converter writes it.

    Args:
        changes: Of options and arrays; None leaves one out.
    """
    values = {name: value for name, value in (_FOREST | changes).items() if value is not None}
    lines = ["%YAML:1.0\n", "options:"]
    lines += [f"    {name}: {value}" for name, value in values.items() if not isinstance(value, list)]
    for name, rows in values.items():
        if isinstance(rows, list):
            lines += ["", f"{name}:", *("    - [" + ",".join(map(str, row)) + "]" for row in rows)]
    return "\n".join(lines) + "\n"


def write_forest(path: Path, **changes: Any) -> Path:
    """Write `forest` without compressing it."""
    path.write_text(forest(**changes))
    return path


class StructuredEdgeDetection:
    """The class of that name; its votes are slopes of the picture.

    Attributes:
        asked_px: Width and height of the pictures of `detectEdges`.
    """

    def __init__(self, model: str) -> None:
        file = cv2.FileStorage(model, cv2.FILE_STORAGE_READ)
        if not file.isOpened():
            raise cv2.error("(-215:Assertion failed) modelFile.isOpened() in function 'StructuredEdgeDetectionImpl'")
        assert file.getNode("options").getNode("numberOfTrees").real() > 0, "the real one divides by zero here"
        assert not file.getNode("edgeBins").empty(), "the real one reads memory that is not there"
        self.asked_px: list[tuple[int, int]] = []

    def detectEdges(self, src: Votes, dst: Votes | None = None) -> Votes:  # noqa: ARG002, N802
        if src.dtype != np.float32 or src.ndim != 3 or src.shape[2] != 3:
            raise cv2.error("(-215:Assertion failed) _src.type() == CV_32FC3 in function 'detectEdges'")
        assert src.min() >= 0
        assert src.max() <= 1, "the real one reads beyond its table of brightness here"
        self.asked_px.append((src.shape[1], src.shape[0]))
        grey = cv2.GaussianBlur(src @ np.full(3, 1 / 3, np.float32), (0, 0), 1.5)
        return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)).astype(np.float32)

    def computeOrientation(self, src: Votes, dst: Votes | None = None) -> Votes:  # noqa: ARG002, N802
        """Return the direction across an edge, 0 to pi, clockwise from the right."""
        if src.dtype != np.float32 or src.ndim != 2:
            raise cv2.error("(-215:Assertion failed) _src.type() == CV_32FC1 in function 'computeOrientation'")
        smooth = cv2.GaussianBlur(src, (0, 0), 2.0)
        bend_xx, bend_xy, bend_yy = (cv2.Sobel(smooth, cv2.CV_32F, *order) for order in ((2, 0), (1, 1), (0, 2)))
        return np.mod(np.arctan(bend_yy * -np.sign(bend_xy) / (bend_xx + 1e-5)), np.pi).astype(np.float32)

    def edgesNms(  # noqa: N802, PLR0917
        self,
        edge_image: Votes,
        orientation_image: Votes,
        dst: Votes | None = None,  # noqa: ARG002
        r: int = 2,
        s: int = 0,
        m: float = 1.0,
        isParallel: bool = True,  # noqa: ARG002, N803
    ) -> Votes:
        if edge_image.dtype != np.float32 or orientation_image.dtype != np.float32:
            raise cv2.error("(-215:Assertion failed) edge_image.type() == CV_32FC1 in function 'edgesNms'")
        assert s == 0, "not imitated"
        rows, columns = (axis.astype(np.float32) for axis in np.indices(edge_image.shape))
        kept = np.ones(edge_image.shape, np.bool_)
        for distance in [*range(-r, 0), *range(1, r + 1)]:
            across = columns + distance * np.cos(orientation_image)
            down = rows + distance * np.sin(orientation_image)
            other = cv2.remap(edge_image, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            kept &= m * edge_image >= other  # equals stay, so that lines may be wider than a pixel
        return np.where(kept, edge_image, 0).astype(np.float32)


def _thinning(src: NDArray[np.uint8], dst: NDArray[np.uint8] | None = None, thinningType: int = 0) -> NDArray[np.uint8]:  # noqa: ARG001, N803
    """Thin lines of 255 to one pixel as Zhang and Suen, "A fast parallel algorithm for thinning" (CACM 1984), do."""
    if src.dtype != np.uint8 or src.ndim != 2:
        raise cv2.error("(-215:Assertion failed) CV_8UC1 == _src.type() in function 'thinning'")
    lines = np.pad(src == 255, 1)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            # Neighbours clockwise from the one above.
            shifts = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]
            around = [np.roll(lines, (-down, -across), (0, 1)) for down, across in shifts]
            count = np.sum(around, axis=0)
            begins = np.sum([~a & b for a, b in zip(around, [*around[1:], around[0]], strict=True)], axis=0)
            up, right, down, left = around[::2]
            open_side = ~(right & down & (up | left)) if first else ~(up & left & (right | down))
            taken = lines & (count >= 2) & (count <= 6) & (begins == 1) & open_side
            lines &= ~taken
            changed = changed or bool(taken.any())
    return np.asarray(lines[1:-1] * 255, np.uint8)[:, 1:-1]


def make_ximgproc(opened: list[StructuredEdgeDetection] | None = None) -> ModuleType:
    """Return the module.

    Args:
        opened: Takes every detector that is opened.
    """

    def create(model: str, howToGetFeatures: object = None) -> StructuredEdgeDetection:  # noqa: ARG001, N803
        detector = StructuredEdgeDetection(model)
        if opened is not None:
            opened.append(detector)
        return detector

    module = ModuleType("cv2.ximgproc")
    module.__dict__.update(createStructuredEdgeDetection=create, thinning=_thinning)
    return module
