"""The competition of the live benchmark, on a few seconds of the test camera."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.errors import PeerError
from pantel_bench.live.peers import LIVE_PEER_STEPS, compete, display, live_peers, search, stills
from pantel_bench.live.peers.encoders import VIDEO_ENCODERS, VideoEncoder
from pantel_bench.live.peers.ffmpeg import Ffmpeg
from pantel_bench.live.peers.planes import enlarge, shrink
from pantel_bench.live.peers.search import VideoSearch
from pantel_bench.live.peers.slices import SLICE_COUNTERS
from pantel_bench.live.peers.stream import CodedUnit, decode
from pantel_bench.live.peers.worth import Appraiser
from pantel_bench.live.scoring import score_live
from pantel_bench.live.source import ClipSource
from pantel_bench.metrics import psnr_db

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the Debian package ffmpeg")
all_encoders = pytest.mark.parametrize("encoder", VIDEO_ENCODERS, ids=lambda encoder: encoder.name)
_SIZE_PX = (192, 128)
_RICH_BPS = 20_000  # so that a few seconds of a test can hold a key frame


@pytest.fixture(scope="module")
def source() -> ClipSource:
    return ClipSource("test:1", 3.0, size_px=_SIZE_PX)


@pytest.fixture
def small_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a search few sizes and rates of pictures, so that it ends soon."""
    monkeypatch.setattr(search, "_SHRINKS", (2,))
    monkeypatch.setattr(search, "_IDEAL_STEPS", (5, 2))
    monkeypatch.setattr(search, "_DELIVERED_STEPS", (5, 2))


def _first_knobs(encoder: VideoEncoder) -> VideoEncoder:
    """Return an encoder with one setting, so that a search ends soon."""
    look_ahead = {name: values[:1] for name, values in encoder.look_ahead.items()}
    return replace(encoder, look_ahead=look_ahead, qualities=encoder.qualities[-16::5], blurs_px=(0.0,))


# --- slice data, on streams written by hand

_H264_UNIT = (
    *(b"\0\0\0\1\x67\x42\0\x0a\xff", b"\0\0\1\x68\xce"),  # SPS, PPS
    *(b"\0\0\1\x06\x05\x02ab\x80", b"\0\0\1\x65IDRslice\0\0", b"\0\0\1\x41P"),  # SEI, slices of types 5 and 1
)
_HEVC_UNIT = (
    *(b"\0\0\0\1\x40\x01v", b"\0\0\1\x42\x01s", b"\0\0\1\x44\x01p", b"\0\0\1\x4e\x01sei"),  # VPS, SPS, PPS, SEI
    *(b"\0\0\1\x26\x01IDR", b"\0\0\0\1\x02\x01trail"),  # slices of types 19 and 1
)
_AV1_UNIT = (
    *(b"\x12\0", b"\x0a\x03seq"),  # temporal delimiter, sequence header
    *(b"\x36\x08\x05frame", b"\x1a\x02hd", b"\x22\x81\0g", b"\x7a\x01\0"),  # extended frame, header, tiles, padding
)


@pytest.mark.parametrize(
    ("codec", "unit", "counted"),
    [
        ("h264", b"".join(_H264_UNIT), len(b"\x65IDRslice\x41P")),
        ("hevc", b"".join(_HEVC_UNIT), len(b"\x26\x01IDR\x02\x01trail")),
        ("av1", b"".join(_AV1_UNIT), len(b"framehdg")),
        ("av1", b"\x30the rest", len(b"the rest")),  # without a size
        ("vp9", b"\x82\x49\x83\x42", 4),
        ("vp9", b"hidden" + b"shown" + b"\xc1\x06\x05\xc1", len(b"hiddenshown")),  # a superframe of two
        ("vp9", b"\xc1", 1),  # too short for the index that it seems to announce
    ],
)
def test_only_slice_data_counts(codec: str, unit: bytes, counted: int) -> None:
    assert SLICE_COUNTERS[codec](unit) == counted


@pytest.mark.parametrize(
    ("codec", "unit"),
    [
        ("h264", b"no start code"),
        ("hevc", b""),
        ("av1", b"\x32\x09short"),
        ("av1", b"\x32"),
        ("av1", b"\x32" + b"\xff" * 9),
        ("vp9", b""),
    ],
)
def test_what_cannot_be_a_stream(codec: str, unit: bytes) -> None:
    with pytest.raises(PeerError):
        SLICE_COUNTERS[codec](unit)


# --- what is on show when


def test_pictures_without_a_line_are_shown_from_their_capture_on() -> None:
    captured_s = display.captures_s(3, 5)
    assert captured_s == [0.0, 0.5, 1.0]
    assert display.newest(captured_s, 12) == [*[0] * 5, *[1] * 5, *[2] * 2]


def test_a_line_carries_one_unit_after_the_other() -> None:
    units = [CodedUnit(0, 60), CodedUnit(2, 12), CodedUnit(1, 6)]  # picture 1 refers to picture 2
    arrival_s = display.arrivals_s(units, [0.0, 0.1, 0.2], 960)
    assert arrival_s == pytest.approx([0.5, 0.65, 0.6])
    assert display.newest(arrival_s, 8) == [None] * 5 + [0, 2, 2]


def test_a_unit_waits_for_its_capture() -> None:
    units = [CodedUnit(0, 12), CodedUnit(1, 12)]
    assert display.arrivals_s(units, [0.0, 1.0], 960) == pytest.approx([0.1, 1.1])


def test_a_picture_that_is_early_waits_for_its_time() -> None:
    captured_s = [0.0, 0.5, 1.0]
    shown = display.on_time([0.1, 0.6, 2.0], captured_s, 0.8, 22)
    assert shown == [None, *[0] * 12, *[1] * 7, *[2] * 2]


# --- sizes and colours


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255), (18, 130, 77)])
def test_colours_survive(colour: tuple[int, int, int]) -> None:
    pixels = np.full((32, 48, 3), colour, np.uint8)
    planes = shrink(pixels, (24, 16), 1.2)
    assert planes.shape == (24, 24)
    assert np.abs(enlarge(planes, (48, 32)).astype(int) - pixels).max() <= 3


def test_nothing_moves_when_a_picture_is_made_smaller_and_larger(source: ClipSource) -> None:
    frame = source.frames[0]
    again = enlarge(shrink(frame, (96, 64), 0.0), _SIZE_PX)
    shifted = [np.roll(again, by, axis=(0, 1)) for by in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    assert psnr_db(frame, again) > max(psnr_db(frame, other) for other in shifted) + 1


def test_the_search_goes_by_the_figures_of_the_report(source: ClipSource) -> None:
    shown: list[NDArray[np.uint8] | None] = [None] * 4 + [source.median] * (len(source) - 4)
    scores = score_live(source, shown, 0.5)
    worth = Appraiser(source).appraise(shown, 0.5)
    assert scores.moving_psnr_db is not None
    assert worth.whole_db == pytest.approx(scores.psnr_db)
    assert worth.moving_db == pytest.approx(scores.moving_psnr_db)
    assert worth.balanced_db == pytest.approx(scores.psnr_db + scores.moving_psnr_db / 2)


def test_a_source_that_stands_still() -> None:
    frozen = ClipSource("test:1", 0.1, size_px=_SIZE_PX)
    assert Appraiser(frozen).appraise([frozen.median], 0.0).moving_db == 100.0


# --- stills


def test_a_slideshow_fits_the_line(source: ClipSource) -> None:
    show = stills.slideshow(source, stills.FORMATS["webp"], 1, bitrate_bps=2000, delay_s=0.5)
    assert show is not None
    assert 8 * show.size_bytes <= 2000 * 3.0
    assert len(show.pictures) == len(source)
    assert show.pictures[0] is None
    assert show.pictures[-1] is not None


def test_a_slideshow_that_no_line_can_carry(source: ClipSource) -> None:
    assert stills.slideshow(source, stills.FORMATS["webp"], 1, bitrate_bps=80, delay_s=0.5) is None


def test_the_frozen_median_is_the_sources(source: ClipSource) -> None:
    show = stills.frozen_median(source)
    assert show.size_bytes == 0
    assert all(picture is source.median for picture in show.pictures)


def test_the_coded_median_grows_finer_by_the_second(source: ClipSource) -> None:
    show = stills.median_so_far(source, stills.FORMATS["webp"], bitrate_bps=2000, delay_s=0.5)
    assert show.pictures[:10] == [None] * 10
    by_second = [psnr_db(source.median, picture) for picture in show.pictures[10::10] if picture is not None]
    assert len(by_second) == 2
    assert by_second[0] < by_second[1]


# --- video


def test_a_machine_without_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerError, match="need the program ffmpeg; install Debian's package ffmpeg"):
        Ffmpeg.find()


def test_a_program_that_is_not_ffmpeg(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho no idea >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(PeerError, match="failed: no idea"):
        Ffmpeg(program)


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="does not run"):
        Ffmpeg(tmp_path / "ffmpeg")


@needs_ffmpeg
@pytest.mark.real
def test_an_encoder_that_is_missing() -> None:
    with pytest.raises(PeerError, match=r"has no encoder libnothing; install"):
        Ffmpeg.find().require(["libx264", "libnothing"])


@needs_ffmpeg
@pytest.mark.real
def test_settings_that_an_encoder_refuses() -> None:
    with pytest.raises(PeerError, match="ffmpeg failed: "):
        Ffmpeg.find().encode([np.zeros((24, 16), np.uint8)], 10.0, ["-c:v", "libx264", "-preset", "hasty"])


@pytest.mark.parametrize("data", [b"", b"no video at all" * 9])
def test_a_stream_that_is_damaged(data: bytes) -> None:
    with pytest.raises(PeerError, match="cannot be decoded"):
        decode(data, "h264")


@needs_ffmpeg
@pytest.mark.real
@all_encoders
def test_every_encoder_is_counted_and_decoded(encoder: VideoEncoder, source: ClipSource) -> None:
    planes = [shrink(frame, (96, 64), 0.0) for frame in source.frames[::2]]
    ffmpeg = Ffmpeg.find()
    sizes = []
    for quality in (encoder.qualities[-1], encoder.qualities[-12]):
        for knobs in (encoder.look_ahead, encoder.low_delay):
            options = encoder.options({name: values[0] for name, values in knobs.items()}, quality)
            data = ffmpeg.encode(planes, 5.0, options)
            video = decode(data, encoder.codec)
            assert len(video.units) == len(video.planes) == len(planes)
            assert sorted(unit.picture for unit in video.units) == list(range(len(planes)))
            assert 0 < video.size_bytes < len(data)
            assert np.abs(video.planes[-1].astype(int) - planes[-1]).mean() < 12
            sizes.append(video.size_bytes)
    assert [unit.picture for unit in video.units] == list(range(len(planes)))  # low delay: nothing is reordered
    assert sizes[0] < sizes[2]
    assert sizes[1] < sizes[3]


@needs_ffmpeg
@pytest.mark.real
def test_the_same_pictures_give_the_same_octets(source: ClipSource) -> None:
    planes = [shrink(frame, (96, 64), 0.0) for frame in source.frames[::5]]
    ffmpeg = Ffmpeg.find()
    for encoder in VIDEO_ENCODERS:
        options = encoder.options({name: values[0] for name, values in encoder.look_ahead.items()}, 40)
        once, again = (decode(ffmpeg.encode(planes, 2.0, options), encoder.codec) for _ in range(2))
        assert once.units == again.units
        assert np.array_equal(np.stack(once.planes), np.stack(again.planes))


@needs_ffmpeg
@pytest.mark.real
@pytest.mark.usefixtures("small_search")
def test_a_search_keeps_to_the_rate_and_prefers_what_it_was_asked_for(source: ClipSource) -> None:
    encoder = _first_knobs(VIDEO_ENCODERS[0])
    found = VideoSearch(source, Ffmpeg.find()).ideal(encoder, _RICH_BPS)
    assert found is not None
    whole, moving = found
    assert whole.worth.whole_db >= moving.worth.whole_db
    assert moving.worth.moving_db >= whole.worth.moving_db
    for each in found:
        assert 8 * each.coded.video.size_bytes <= _RICH_BPS * 3.0
        pictures = each.pictures(_SIZE_PX)
        assert len(pictures) == len(source)
        assert pictures[0] is not None
        assert pictures[0].shape == source.median.shape


@needs_ffmpeg
@pytest.mark.real
@pytest.mark.usefixtures("small_search")
def test_a_rate_that_no_stream_can_meet(source: ClipSource) -> None:
    encoder = _first_knobs(VIDEO_ENCODERS[0])
    searching = VideoSearch(source, Ffmpeg.find())
    assert searching.ideal(encoder, 100) is None
    assert searching.delivered(encoder, 100, 0.5, ()) is None


@needs_ffmpeg
@pytest.mark.real
@pytest.mark.usefixtures("small_search")
def test_all_peers_give_their_rows(source: ClipSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compete, "VIDEO_ENCODERS", (_first_knobs(VIDEO_ENCODERS[0]),))
    monkeypatch.setattr(compete, "_SLIDESHOWS", (("webp", 1),))
    monkeypatch.setitem(stills.FORMATS, "avif", replace(stills.FORMATS["avif"], qualities=(10, 40)))
    done: list[str] = []
    rows = live_peers(source, bitrate_bps=_RICH_BPS, delay_s=0.5, done=done.append)
    assert {(row.peer, row.variant) for row in rows} == {
        ("frozen-median", "ideal"),
        ("avif-median-so-far", "delivered"),
        ("webp-slideshow-1s", "delivered"),
        *(("x264", variant) for variant in ("ideal", "ideal-moving", "delivered", "delivered-on-time")),
    }
    by_name = {(row.peer, row.variant): row for row in rows}
    ideal = by_name["x264", "ideal"]
    assert 0 < ideal.kbps <= _RICH_BPS / 960
    assert ideal.psnr_db > by_name["x264", "delivered"].psnr_db
    assert ideal.settings["fps"] in (2, 5)
    assert len(ideal.series.t_s) == len(source)
    assert ideal.lpips is None
    assert len(done) == len(rows)
    assert asdict(ideal)["settings"] == ideal.settings


def test_progress_is_announced_for_every_row() -> None:
    assert 4 * len(VIDEO_ENCODERS) + 4 + 2 == LIVE_PEER_STEPS
