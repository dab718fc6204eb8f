"""The perceptual view of a run: the same octets, replayed with the other generator, scored by LPIPS alone."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.live.measure import Instruments, measure_clip
from pantel_bench.live.perceptual import with_lpips
from pantel_bench.live.recall import JudgedSource
from pantel_bench.live.scoring import LIVE_LPIPS_EVERY, score_live
from pantel_bench.live.showings import replayed_showings
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.metrics import Lpips
from pantel_bench.rig.settings import RECEIVER_DELAY_NS, RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.frame import Box
from pantel_device.receiving import receiver
from pantel_device.scene_encoding.background import background_encoder, opening
from pantel_link.captures import CaptureEvent, CaptureHeader, CaptureWriter, read_capture
from pantel_models import Artefact, View

_SIZE_PX = (96, 64)
_SECONDS = 4.0
_INSTANTS = 40

Showings = list[NDArray[np.uint8] | None]


@dataclass(frozen=True)
class _Recorded:
    """A run: its capture, and what was on show in the faithful view."""

    events: list[CaptureEvent]
    shown: Showings


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> _Recorded:
    path = tmp_path_factory.mktemp("line") / "line.pcapng"
    settings = RigSettings(camera="test:1", seconds=_SECONDS, size_px=_SIZE_PX)
    writer = CaptureWriter(path, CaptureHeader(settings.bitrate_bps, RECEIVER_DELAY_NS))
    with pytest.MonkeyPatch.context() as patch:
        # What is enlarged is painted at each scale: a negative of a negative.
        patch.setattr(background_encoder, "_LADDERS", (background_encoder._LADDERS[0], (), ()))
        patch.setattr(opening, "_ROUND_PAYLOADS", ())
        with closing(VirtualRun(settings, listener=writer)) as run:
            shown = [showing.pixels for showing in run.showings()]
    writer.close((_INSTANTS - 1) * FRAME_INTERVAL_NS)
    return _Recorded(list(read_capture(path)), shown)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ClipSource:
    """Return a clip that grows lighter by one grey level with every frame."""
    folder = tmp_path_factory.mktemp("clip") / "dawn"
    folder.mkdir()
    for k in range(_INSTANTS):
        cv2.imwrite(str(folder / f"{k:03d}.png"), np.full((64, 96, 3), 100 + k, np.uint8))
    return ClipSource(f"file:{folder}", _SECONDS, size_px=_SIZE_PX)


class _Brightness(Lpips):
    """A metric whose values can be told in advance: the mean difference in grey levels."""

    def __init__(self) -> None:
        """Need no weights."""

    def distance(self, source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
        return float(np.abs(source.astype(int) - decoded).mean())


def test_each_picture_is_on_show_at_the_same_instants_as_live(
    recorded: _Recorded, two_views: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is another picture of the same scene: where nothing but background is, the negative of the faithful one."""
    monkeypatch.setattr(receiver, "find_artefact", lambda **_: two_views)
    showings = replayed_showings(recorded.events, _INSTANTS, View.PERCEPTUAL)
    assert len(showings) == _INSTANTS
    assert [picture is None for picture in showings] == [picture is None for picture in recorded.shown]
    assert showings[0] is None
    assert showings[-1] is not None
    for painted, live in zip(showings, recorded.shown, strict=True):
        if painted is not None and live is not None:
            sky, live_sky = painted[:4].astype(int), live[:4].astype(int)
            assert np.abs(sky + live_sky - 255).mean() < 12  # both are brightened or darkened alike
            assert np.abs(sky - live_sky).mean() > 30


def test_without_a_perceptual_generator_they_are_those_of_the_run(
    recorded: _Recorded, one_view: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "find_artefact", lambda **_: one_view)
    for painted, live in zip(
        replayed_showings(recorded.events, _INSTANTS, View.PERCEPTUAL), recorded.shown, strict=True
    ):
        assert (painted is None) == (live is None)
        if painted is not None and live is not None:
            np.testing.assert_array_equal(painted, live)


def test_a_capture_in_which_nothing_was_heard_shows_nothing(recorded: _Recorded) -> None:
    silence = [recorded.events[0], recorded.events[-1]]
    assert replayed_showings(silence, 7, View.PERCEPTUAL) == [None] * 7


def test_lpips_is_taken_of_these_pictures_once_a_second_and_nothing_else_changes(source: ClipSource) -> None:
    live = score_live(source, list(source.frames), 0.0)
    shown: Showings = [None] * 15 + [np.full((64, 96, 3), 90, np.uint8)] * 25
    scores = with_lpips(live, source, shown, 0.3, _Brightness())
    taken = {k: value for k, value in enumerate(scores.series.lpips) if value is not None}
    # The frame of 0.3 s ago is 97 + k; mid-grey is 128.
    assert taken == {9: 22, 19: 26, 29: 36, 39: 46}
    assert min(taken) == LIVE_LPIPS_EVERY - 1
    assert scores.lpips == pytest.approx((22 + 26 + 36 + 46) / 4)
    assert scores.lpips_last_third == pytest.approx((36 + 46) / 2)  # from 2.7 s on
    same = replace(scores, lpips=None, lpips_last_third=None, series=live.series)
    assert same == live


class _Witness:
    """A judge who takes what is dark for a person, and remembers what it has seen."""

    def __init__(self) -> None:
        self.seen: list[NDArray[np.uint8]] = []

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        self.seen.append(pixels)
        rows, columns = np.nonzero(pixels.max(axis=2) < 50)
        if not rows.size:
            return ()
        return (Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1, "person"),)


def test_a_measured_clip_is_judged_by_its_perceptual_view(
    two_views: Artefact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "find_artefact", lambda **_: two_views)
    folder, capture = tmp_path / "walker", tmp_path / "line.pcapng"
    folder.mkdir()
    for k in range(_INSTANTS):
        picture = np.full((64, 96, 3), 170, np.uint8)
        picture[20:50, 8 + 2 * k : 20 + 2 * k] = 10
        cv2.imwrite(str(folder / f"{k:03d}.png"), picture)
    source = ClipSource(f"file:{folder}", _SECONDS, size_px=_SIZE_PX)
    settings = RigSettings(camera=source.camera, seconds=_SECONDS, size_px=_SIZE_PX)
    witness, metric = _Witness(), _Brightness()
    instruments = Instruments(lpips=metric, judged=JudgedSource(source, witness))
    result = measure_clip(settings, source, instruments, capture=capture)
    showings = replayed_showings(list(read_capture(capture)), _INSTANTS, View.PERCEPTUAL)
    last = showings[-1]
    assert last is not None
    assert result.scores.series.lpips[-1] == metric.distance(source.frames[source.delayed(_INSTANTS - 1, 1.5)], last)
    assert any(np.array_equal(pixels, last) for pixels in witness.seen)
    # The other scores are those of the faithful view, which is much like the source.
    assert result.scores.lpips_last_third is not None
    assert result.scores.lpips_last_third > 40
    assert result.scores.series.psnr_db[-1] > 15
    assert result.replayed_same


def test_a_run_too_short_for_lpips_has_none(tmp_path: Path) -> None:
    picture = tmp_path / "still.png"
    cv2.imwrite(str(picture), np.full((64, 96, 3), 90, np.uint8))
    source = ClipSource(f"file:{picture}", 0.5, size_px=_SIZE_PX)
    live = score_live(source, list(source.frames), 0.0)
    scores = with_lpips(live, source, list(source.frames), 0.0, _Brightness())
    assert scores.lpips is scores.lpips_last_third is None
    assert list(scores.series.lpips) == [None] * 5
