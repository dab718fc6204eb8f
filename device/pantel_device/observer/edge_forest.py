"""The file of a structured forest, looked through before OpenCV reads it.

OpenCV believes every number in it: a file without its options divides by zero, one that was cut off reads memory that
is not there, and either ends the whole process without a word. So nothing gets there but what makes sense.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import EdgeModelError

__all__ = ["check_forest"]

_GZIP = b"\x1f\x8b"
_SECTION = re.compile(r"^(\w+):", re.MULTILINE)
_OPTION = re.compile(r"(\w+): *(\d{1,6})\s")
_ROW = re.compile(r"\[([^\]]*)\]")
_RADII = range(65)

_OPTIONS: Mapping[str, range] = {
    "numberOfTrees": range(1, 1025),
    "numberOfTreesToEvaluate": range(1, 33),
    "selfsimilarityGridSize": range(1, 17),
    "stride": range(1, 17),
    "shrinkNumber": range(1, 3),  # with more, OpenCV's votes may reach beyond the last row
    "patchSize": range(4, 129),
    "patchInnerSize": range(2, 129),
    "numberOfGradientOrientations": range(1, 17),
    "gradientSmoothingRadius": _RADII,
    "regFeatureSmoothingRadius": _RADII,
    "ssFeatureSmoothingRadius": _RADII,
    "gradientNormalizationRadius": _RADII,
}


class _FaultError(Exception):
    """What is wrong with a file, in a few words."""


def check_forest(path: Path) -> None:
    """Make sure that a file is a whole structured forest whose numbers stay within their arrays.

    Args:
        path: YAML as OpenCV's converter writes it, compressed by gzip or not.

    Raises:
        EdgeModelError: It is not, or it cannot be read; one line for the user.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EdgeModelError(
            f"the edge model {path} cannot be read ({error.strerror}); correct edge_model, or leave it empty for Canny"
        ) from error
    try:
        sections = _sections(content)
        _check_trees(sections, _options(sections))
    except _FaultError as fault:
        raise EdgeModelError(
            f"the edge model {path} is no whole structured forest of OpenCV ({fault}); fetch model.yml.gz again, or "
            "leave edge_model empty for Canny"
        ) from fault


def _sections(content: bytes) -> dict[str, str]:
    """Return the text below each key of the file."""
    try:
        plain = gzip.decompress(content) if content.startswith(_GZIP) else content
        text = plain.decode("ascii")
    except (OSError, EOFError, zlib.error) as error:
        raise _FaultError("its compressed data are damaged or cut off") from error
    except UnicodeDecodeError as error:
        raise _FaultError("it is no text") from error
    parts = _SECTION.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _options(sections: Mapping[str, str]) -> dict[str, int]:
    options = {name: int(value) for name, value in _OPTION.findall(sections.get("options", ""))}
    for name, allowed in _OPTIONS.items():
        if options.get(name) not in allowed:
            raise _FaultError(f"its option {name} is {options.get(name, 'missing')}")
    if options["patchInnerSize"] > options["patchSize"]:
        raise _FaultError("its option patchInnerSize is greater than patchSize")
    if options["selfsimilarityGridSize"] > options["patchSize"] // options["shrinkNumber"]:
        raise _FaultError("its option selfsimilarityGridSize is greater than a patch")
    return options


def _check_trees(sections: Mapping[str, str], options: Mapping[str, int]) -> None:
    """Make sure that every walk through a tree ends at a leaf, and that leaves vote for samples of a patch."""
    children, features, thresholds, bounds, votes = (
        _numbers(sections, name) for name in ("childs", "featureIds", "thresholds", "edgeBoundaries", "edgeBins")
    )
    nodes, trees = children.size, options["numberOfTrees"]
    if not nodes or nodes % trees or not nodes == features.size == thresholds.size:
        raise _FaultError("its trees are cut off")
    if bounds.size <= nodes or bounds.size % nodes != 1 % nodes:  # newer trainings have several for each node
        raise _FaultError("its leaves are cut off")
    tree_nodes = nodes // trees
    own = np.arange(nodes) % tree_nodes
    inner = children != 0
    # A node names its right child, the left one stands before it; both come after the node itself.
    if not (_whole(children, tree_nodes) & (~inner | (children - 1 > own))).all():
        raise _FaultError("its trees lead nowhere")
    channels = 2 * (options["numberOfGradientOrientations"] + 1) + 3
    cells = options["selfsimilarityGridSize"] ** 2
    samples = (options["patchSize"] // options["shrinkNumber"]) ** 2
    if not _whole(features[inner], channels * (samples + cells * (cells - 1) // 2)).all():
        raise _FaultError("it asks for features that there are not")
    if not _whole(bounds, votes.size + 1).all() or (np.diff(bounds) < 0).any():
        raise _FaultError("its leaves are cut off")
    if not _whole(votes, channels * options["patchInnerSize"] ** 2).all():
        raise _FaultError("its leaves vote for what is no part of a patch")


def _numbers(sections: Mapping[str, str], name: str) -> NDArray[np.float64]:
    """Return all numbers of a section, whose rows are of any length, one after the other."""
    try:
        rows = [np.array(row[1].split(","), np.float64) for row in _ROW.finditer(sections.get(name, ""))]
    except ValueError as error:
        raise _FaultError(f"{name} are no numbers") from error
    return np.concatenate(rows) if rows else np.zeros(0)


def _whole(values: NDArray[np.float64], limit: int) -> NDArray[np.bool_]:
    """Return where values are integers of at least 0 and less than a limit; what is no number is none."""
    return np.asarray((values >= 0) & (values < limit) & (values == np.floor(values)), np.bool_)
