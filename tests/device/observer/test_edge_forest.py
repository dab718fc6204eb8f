"""Files of structured forests: what may be handed to OpenCV, and that nothing else is."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.device.observer.fake_ximgproc import forest, write_forest

from pantel_device.errors import EdgeModelError
from pantel_device.observer.edge_forest import check_forest

_WHOLE = forest().encode()
_PACKED = gzip.compress(_WHOLE, mtime=0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"edgeBoundaries": [[0, 0, 0, 2, 3, 3, 3] + 6 * [3]]},  # newer trainings have several for each node
        {"thresholds": [["1.500000e-01", "-.5", 0], [0, 0, 0]]},
        {"childs": [[0], [0]], "featureIds": [[0], [0]], "thresholds": [[0], [0]], "edgeBoundaries": [[0, 2, 3]]},
        {"patchInnerSize": 32},
    ],
)
def test_whole_forests_pass(tmp_path: Path, changes: dict[str, Any]) -> None:
    check_forest(write_forest(tmp_path / "model.yml", **changes))


def test_compressed_ones_do_whatever_their_name(tmp_path: Path) -> None:
    for name in ("model.yml.gz", "model"):
        (tmp_path / name).write_bytes(_PACKED)
        check_forest(tmp_path / name)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"numberOfTrees": 0}, "its option numberOfTrees is 0"),
        ({"numberOfTrees": None}, "its option numberOfTrees is missing"),
        ({"stride": -2}, "its option stride is missing"),
        ({"shrinkNumber": 4}, "its option shrinkNumber is 4"),
        ({"patchInnerSize": 34}, "patchInnerSize is greater than patchSize"),
        ({"patchSize": 16, "selfsimilarityGridSize": 9}, "selfsimilarityGridSize is greater than a patch"),
        ({"childs": None}, "its trees are cut off"),
        ({"numberOfTrees": 4}, "its trees are cut off"),
        ({"featureIds": [[17, 0, 0], [0, 0]]}, "its trees are cut off"),
        ({"thresholds": [[0.15, 0, 0]]}, "its trees are cut off"),
        ({"childs": [[1, 0, 0], [0, 0, 0]]}, "its trees lead nowhere"),  # to the root again, without end
        ({"childs": [[3, 0, 0], [0, 0, 0]]}, "its trees lead nowhere"),
        ({"childs": [[1.5, 0, 0], [0, 0, 0]]}, "its trees lead nowhere"),
        ({"childs": [["nan", 0, 0], [0, 0, 0]]}, "its trees lead nowhere"),
        ({"featureIds": [[7228, 0, 0], [0, 0, 0]]}, "it asks for features that there are not"),
        ({"featureIds": [[-1, 0, 0], [0, 0, 0]]}, "it asks for features that there are not"),
        ({"edgeBoundaries": None}, "its leaves are cut off"),
        ({"edgeBoundaries": [[0, 0, 0, 2, 3, 3]]}, "its leaves are cut off"),
        ({"edgeBoundaries": [[0, 0, 0, 2, 1, 3, 3]]}, "its leaves are cut off"),
        ({"edgeBins": [[7, 23]]}, "its leaves are cut off"),
        ({"edgeBins": None}, "its leaves are cut off"),
        ({"edgeBins": [[7, 3328], [8]]}, "its leaves vote for what is no part of a patch"),
        ({"edgeBins": [[7, "x"], [8]]}, "edgeBins are no numbers"),
        ({"edgeBins": [[], [8]]}, "edgeBins are no numbers"),
    ],
)
def test_what_would_end_the_process_does_not_pass(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    path = write_forest(tmp_path / "model.yml", **changes)
    with pytest.raises(EdgeModelError) as refused:
        check_forest(path)
    said = str(refused.value)
    assert said.startswith(f"the edge model {path} is no whole structured forest of OpenCV (")
    assert fault in said
    assert said.endswith("; fetch model.yml.gz again, or leave edge_model empty for Canny")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "numberOfTrees is missing"),
        (b"<!DOCTYPE html>\n<html></html>\n", "numberOfTrees is missing"),  # the page about the file
        (b"\x89PNG\r\n\x1a\n", "it is no text"),
        (_PACKED[:-20], "its compressed data are damaged or cut off"),
        (_PACKED[:-8] + bytes(8), "its compressed data are damaged or cut off"),  # the checksum
        (_PACKED[:2] + b"\x09" + _PACKED[3:], "its compressed data are damaged or cut off"),
        (gzip.compress(b"\xff"), "it is no text"),
    ],
)
def test_other_files_do_not_pass(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "model.yml.gz"
    path.write_bytes(content)
    with pytest.raises(EdgeModelError, match=fault):
        check_forest(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        EdgeModelError, match=r"nowhere\.yml cannot be read \(No such file or directory\); correct edge_"
    ):
        check_forest(tmp_path / "nowhere.yml")
    with pytest.raises(EdgeModelError, match=r"cannot be read \(Is a directory\)"):
        check_forest(tmp_path)


@given(data=st.data())
def test_damage_is_an_edge_model_error_and_nothing_else(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = data.draw(st.sampled_from([_WHOLE, _PACKED]))
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.yml"
    path.write_bytes(damaged)
    with suppress(EdgeModelError):
        check_forest(path)
