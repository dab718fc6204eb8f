"""What counts as an object found again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.live.recall import JudgedSource, object_recall, object_recall_ceiling, pose_recall
from pantel_bench.live.source import ClipSource
from pantel_bench.metrics.recall import Recall, kind_of
from pantel_device.frame import Box

_SIZE_PX = (96, 64)


class _ColourJudge:
    """Takes red for a person, blue for a car and green for a bench."""

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        boxes = []
        for channel, label in ((0, "person"), (1, "bench"), (2, "car")):
            others = pixels[..., [c for c in range(3) if c != channel]].max(axis=2)
            mask = (pixels[..., channel] > 180) & (others < 90)
            count, _, figures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
            for x, y, width, height, area in figures[1:count].tolist():
                if area > 20:
                    boxes.append(Box(x, y, x + width, y + height, label))
        return tuple(boxes)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> JudgedSource:
    """Return a scene with a walker, a parked car and a moving bench, on grey."""
    folder = tmp_path_factory.mktemp("clip") / "street"
    folder.mkdir()
    for k in range(20):
        picture = np.full((64, 96, 3), 120, np.uint8)
        picture[40:60, 70:92] = (20, 20, 230)
        picture[10:30, 4 * k : 4 * k + 10] = (230, 20, 20)
        picture[34:38, 80 - 4 * k : 92 - 4 * k] = (20, 230, 20)
        cv2.imwrite(str(folder / f"{k:03d}.png"), picture[..., ::-1])
    return JudgedSource(ClipSource(f"file:{folder}", 2.0, size_px=_SIZE_PX), _ColourJudge())


def test_only_people_vehicles_and_animals_that_move_count(judged: JudgedSource) -> None:
    assert len(judged.judge.detect(judged.source.frames[9])) == 3
    assert judged.boxes(9) == (Box(36, 10, 46, 30, "person"),)
    assert list(judged.instants) == [4, 9, 14, 19]
    assert [kind_of(label) for label in ("person", "truck", "boat", "dog", "giraffe", "bench", "")] == [
        "person", "vehicle", "vehicle", "animal", "animal", "", "",
    ]  # fmt: skip


def test_a_pose_is_found_where_a_sprite_covers_the_box_of_a_delay_ago(judged: JudgedSource) -> None:
    delay = 3
    right = [(Box(4 * max(0, k - delay), 10, 4 * max(0, k - delay) + 10, 30),) for k in range(20)]
    assert pose_recall(judged, right, 0.3) == Recall(4, 4)
    beside = [tuple(Box(box.x0 + 6, box.y0, box.x1 + 6, box.y1) for box in boxes) for boxes in right]
    assert pose_recall(judged, beside, 0.3) == Recall(0, 4)
    assert pose_recall(judged, [()] * 20, 0.3).share == 0


def test_a_sprite_that_reaches_beyond_the_picture_is_cut_there(judged: JudgedSource) -> None:
    beyond = [(Box(4 * k, 10, 4 * k + 10, 30), Box(-500, -500, 10, 30)) for k in range(20)]
    assert pose_recall(judged, beyond, 0.0) == Recall(4, 4)
    assert pose_recall(judged, [(Box(-100, 10, 10, 30),)] * 20, 2.0) == Recall(4, 4)


def test_an_object_is_found_when_the_judge_finds_it_in_the_picture(judged: JudgedSource) -> None:
    frames = list(judged.source.frames)
    assert object_recall(judged, frames, 0.0) == Recall(4, 4)
    assert object_recall(judged, frames, 0.5).share == pytest.approx(0)
    assert object_recall(judged, [None] * 10 + frames[10:], 0.0) == Recall(2, 4)
    assert object_recall(judged, [judged.source.median] * 20, 0.0) == Recall(0, 4)
    another_colour = [np.ascontiguousarray(frame[..., ::-1]) for frame in frames]
    assert object_recall(judged, another_colour, 0.0) == Recall(0, 4)  # a car where the person was


def test_ideal_pictures_reach_the_ceiling(judged: JudgedSource) -> None:
    assert object_recall_ceiling(judged, 0.3) == Recall(4, 4)


def test_nothing_to_look_for(tmp_path: Path) -> None:
    picture = tmp_path / "grey.png"
    cv2.imwrite(str(picture), np.full((64, 96, 3), 120, np.uint8))
    empty = JudgedSource(ClipSource(f"file:{picture}", 1.0, size_px=_SIZE_PX), _ColourJudge())
    assert pose_recall(empty, [()] * 10, 0.0).share is None
    assert object_recall(empty, [None] * 10, 0.0).share is None
