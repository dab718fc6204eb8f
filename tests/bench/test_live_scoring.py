"""The rules by which live pictures are scored, on clips whose scores can be told in advance."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.live.scoring import PooledPsnr, mean_of_last_third, score_live
from pantel_bench.live.source import ClipSource
from pantel_bench.metrics import Lpips
from pantel_device.errors import CameraError

_SIZE_PX = (96, 64)


def _write_clip(folder: Path, count: int = 20) -> Path:
    """Write pictures in which a square of 12x12 pixels moves to the right, 4 pixels a frame, and some noise."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    ground = cv2.GaussianBlur(rng.uniform(40, 200, (64, 96, 3)).astype(np.float32), (0, 0), 3)
    for k in range(count):
        picture = ground + rng.uniform(-3, 3, ground.shape)
        picture[20:32, 4 * k : 4 * k + 12] = (250, 20, 20)
        picture[50, 5] = (255, 255, 255) if k % 3 == 0 else (0, 0, 0)  # a speck is no motion
        cv2.imwrite(str(folder / f"{k:03d}.png"), picture.clip(0, 255).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ClipSource:
    folder = _write_clip(tmp_path_factory.mktemp("clip") / "square")
    return ClipSource(f"file:{folder}", 2.0, size_px=_SIZE_PX)


def test_the_source_has_all_frames_and_their_median(source: ClipSource) -> None:
    assert len(source) == 20
    assert source.frames.shape == (20, 64, 96, 3)
    assert source.frames.dtype == source.median.dtype == np.uint8
    assert not source.frames.flags.writeable
    expected = np.median(source.frames, axis=0).astype(np.uint8)
    assert np.array_equal(source.median, expected)


def test_what_moves_is_the_square_without_the_speck(source: ClipSource) -> None:
    moving, changed = source.moving(10), source.changed(10)
    assert moving[21:31, 42:50].all()
    assert not moving[50, 5]
    assert changed[50, 5] or source.changed(9)[50, 5]
    assert moving.sum() < 200
    assert not (moving & ~changed).any()


def test_a_clip_that_is_too_short_is_played_there_and_back(tmp_path: Path) -> None:
    source = ClipSource(f"file:{_write_clip(tmp_path / 'short', 5)}", 1.2, size_px=_SIZE_PX)
    assert [int(np.abs(frame.astype(int) - source.frames[0]).max() > 50) for frame in source.frames[:9]] == [
        0, 1, 1, 1, 1, 1, 1, 1, 0,
    ]  # fmt: skip
    assert np.array_equal(source.frames[3], source.frames[5])


def test_a_clip_that_ends(tmp_path: Path) -> None:
    folder = _write_clip(tmp_path / "once", 5)
    with pytest.raises(CameraError, match=r"ends after 0\.5 s"):
        ClipSource(f"file:{folder}?loop=once", 1.2, size_px=_SIZE_PX)


def test_a_perfect_line_with_a_delay_has_perfect_scores(source: ClipSource) -> None:
    delay = 3
    shown = [source.frames[max(0, k - delay)] for k in range(20)]
    scores = score_live(source, shown, 0.3)
    assert scores.psnr_db == scores.moving_psnr_db == scores.changed_psnr_db == 100
    assert scores.ms_ssim == pytest.approx(1)
    assert scores.first_picture_s == 0
    assert scores.shown_fps == 10
    assert scores.distinct_fps == 10
    assert scores.moved_s == pytest.approx(1.6)  # 16 changes: the first frame is compared four times
    assert scores.lpips is None
    assert scores.series.t_s == pytest.approx([k / 10 for k in range(20)])
    late = score_live(source, shown, 0.2)
    assert late.moving_psnr_db is not None
    assert late.moving_psnr_db < 20


def test_before_the_first_picture_there_is_grey(source: ClipSource) -> None:
    shown: list[NDArray[np.uint8] | None] = [None] * 5
    shown += [source.frames[k] for k in range(5, 20)]
    scores = score_live(source, shown, 0.0)
    assert scores.first_picture_s == 0.5
    assert scores.series.psnr_db[4] < 25
    assert scores.series.psnr_db[5] == 100
    assert scores.shown_fps == 10
    assert scores.distinct_fps is not None
    assert scores.distinct_fps == pytest.approx(10 * 15 / 19)
    nothing = score_live(source, [None] * 20, 0.0)
    assert nothing.first_picture_s is None
    assert nothing.shown_fps == nothing.distinct_fps == 0


def test_a_frozen_picture_is_shown_once_and_never_distinct(source: ClipSource) -> None:
    scores = score_live(source, [source.median] * 20, 0.0)
    assert scores.shown_fps == pytest.approx(0.5)
    assert scores.distinct_fps == 0
    assert scores.moving_psnr_db is not None
    assert scores.psnr_db > scores.moving_psnr_db + 8


def test_the_moving_psnr_is_that_of_all_moving_pixels_together() -> None:
    pooled = PooledPsnr()
    assert pooled.db is None
    source = np.zeros((4, 4, 3), np.uint8)
    everywhere, one = np.ones((4, 4), np.bool_), np.zeros((4, 4), np.bool_)
    one[0, 0] = True
    pooled.add(everywhere, source, source)
    assert pooled.db == 100
    pooled.add(one, source, source + np.uint8(10))
    assert pooled.db == pytest.approx(10 * np.log10(255**2 / (100 * 3 / 51)))


def test_a_still_scene_has_no_moving_region(tmp_path: Path) -> None:
    picture = tmp_path / "still.png"
    cv2.imwrite(str(picture), np.full((64, 96, 3), 90, np.uint8))
    source = ClipSource(f"file:{picture}", 1.0, size_px=_SIZE_PX)
    scores = score_live(source, list(source.frames), 0.0)
    assert scores.moving_psnr_db is scores.distinct_fps is None
    assert scores.moving_share == scores.moved_s == 0


def test_there_must_be_a_picture_for_each_frame(source: ClipSource) -> None:
    with pytest.raises(ValueError, match="zip"):
        score_live(source, [None] * 19, 0.0)


def test_lpips_is_taken_once_a_second(source: ClipSource, lpips_weights: Path) -> None:
    scores = score_live(source, [source.median] * 20, 0.0, lpips=Lpips.from_file(lpips_weights))
    taken = [(k, value) for k, value in enumerate(scores.series.lpips) if value is not None]
    assert [k for k, _ in taken] == [9, 19]
    assert scores.lpips == pytest.approx(np.mean([value for _, value in taken]))
    assert scores.lpips_last_third == taken[1][1]


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([1.0, 2.0, 3.0, 4.0, 5.0, 9.0], 7.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 5.0),  # the last third begins between two instants
        ([1.0, None, None, None, 4.0, None], 4.0),
        ([1.0, 2.0, 3.0, None, None, None], None),
        ([None] * 3, None),
        ([], None),
    ],
)
def test_the_mean_of_the_last_third(values: list[float | None], mean: float | None) -> None:
    assert mean_of_last_third(values) == mean
