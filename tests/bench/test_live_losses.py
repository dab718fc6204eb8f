"""The live benchmark with packets lost: one sending, many patterns of losses."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from pantel_bench.live.losses import measure_losses
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.rig.settings import PLAYOUT_DELAY_NS, RECEIVER_DELAY_NS, RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.cli import main
from pantel_link.captures import CaptureEvent, CaptureHeader, CaptureWriter, read_capture

_SIZE_PX = (96, 64)
_SECONDS = 6.0


@pytest.fixture(scope="module")
def sending(tmp_path_factory: pytest.TempPathFactory) -> list[CaptureEvent]:
    path = tmp_path_factory.mktemp("line") / "line.pcapng"
    settings = RigSettings(camera="test:1", seconds=_SECONDS, size_px=_SIZE_PX)
    writer = CaptureWriter(path, CaptureHeader(settings.bitrate_bps, RECEIVER_DELAY_NS))
    with closing(VirtualRun(settings, listener=writer)) as run:
        for _ in run.showings():
            """Let it run."""
    writer.close((settings.instants - 1) * FRAME_INTERVAL_NS)
    return list(read_capture(path))


def test_the_more_is_lost_the_less_is_left(sending: list[CaptureEvent]) -> None:
    source = ClipSource("test:1", _SECONDS, size_px=_SIZE_PX)
    good, fair, poor = measure_losses(sending, source, PLAYOUT_DELAY_NS / 1e9, (0.0, 0.3, 0.8), 3)
    assert [row.patterns for row in (good, fair, poor)] == [3, 3, 3]
    assert good.moving_psnr_db == pytest.approx(good.worst_moving_psnr_db)
    assert good.psnr_db > fair.psnr_db > poor.psnr_db
    assert good.ms_ssim > poor.ms_ssim
    assert poor.moving_psnr_db is not None
    assert poor.worst_moving_psnr_db is not None
    assert poor.moving_psnr_db >= poor.worst_moving_psnr_db


def test_what_is_lost_already_is_not_lost_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    clip = str(tmp_path / "clip.mp4")
    for other in (("--loss", "0.1"), ("--ber", "0.001"), ("--back-channel",)):
        assert main(["bench", "live", "--clip", clip, "--losses", "0.1,0.3", *other]) == 2
        assert "good and one way" in capsys.readouterr().err
