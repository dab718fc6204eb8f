"""Cameras: every kind gives the frames of its time line, and every mistake is one line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_device.cameras import Camera, open_camera
from pantel_device.cameras.base import SampledCamera
from pantel_device.cameras.file import FileCamera
from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.errors import CameraError
from pantel_device.frame import Frame

SIZE_PX = (64, 48)
TENTH_NS = 100_000_000


def _grey_picture(level: int) -> NDArray[np.uint8]:
    return np.full((48, 64, 3), level, np.uint8)


def _write_clip(path: Path, *, frames: int, fps: int = 10, gop: int = 12) -> None:
    """Write a clip whose n-th picture has the grey level 10 n."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, fps)
        stream.gop_size = gop
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(_grey_picture(10 * index), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _numbers(camera: Camera, count: int, *, step_ns: int = TENTH_NS, scale: int = 10) -> list[int | None]:
    """Return the numbers, told from the grey level, of the pictures on show at regular times."""
    frames = [camera.capture(10**12 + k * step_ns) for k in range(count)]
    return [round(float(frame.pixels.mean()) / scale) if frame else None for frame in frames]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, suffix in enumerate(("png", "jpg", "bmp", "webp")):
        cv2.imwrite(str(folder / f"{index}.{suffix}"), _grey_picture(10 * index))
    (folder / "notes.txt").write_text("no picture")
    return folder


class _Counter(SampledCamera):
    """Shows the index of the frame."""

    def _picture(self, index: int) -> NDArray[np.uint8]:
        return np.full((1, 1, 3), index % 256, np.uint8)


@given(
    fps=st.one_of(st.floats(0.5, 60), st.sampled_from([7.0, 10.0, 15.0, 25.0, 29.97, 30.0, 60.0])),
    start_ns=st.integers(0, 2**62),
    steps_ns=st.lists(st.integers(0, 10**9), max_size=20),
)
def test_sampling_shows_the_newest_frame_once(fps: float, start_ns: int, steps_ns: list[int]) -> None:
    camera = _Counter((1, 1), fps)
    first = camera.capture(start_ns)
    assert first is not None
    assert (first.index, first.time_ns) == (0, start_ns)
    now_ns, last = start_ns, first
    for step_ns in steps_ns:
        now_ns += step_ns
        frame = camera.capture(now_ns)
        if frame is not None:
            assert frame.index > last.index
            assert frame.time_ns <= now_ns
            last = frame
        assert now_ns < start_ns + round((last.index + 1) * 1e9 / fps)
        assert camera.capture(now_ns) is None


@pytest.mark.parametrize("fps", [7.0, 10.0, 29.97, 30.0])
def test_frame_is_due_exactly_at_its_time(fps: float) -> None:
    camera = _Counter((1, 1), fps)
    times_ns = [round(k * 1e9 / fps) for k in range(1000)]
    frames = [camera.capture(time_ns) for time_ns in times_ns]
    assert [(frame.index, frame.time_ns) for frame in frames if frame] == list(enumerate(times_ns))


def test_frame_is_read_only() -> None:
    frame = Frame(0, 0, _grey_picture(1))
    with pytest.raises(ValueError, match="read-only"):
        frame.pixels[0, 0, 0] = 2


def test_picture_is_a_still_scene_without_end(folder: Path) -> None:
    camera = open_camera(f"file:{folder / '1.jpg'}?loop=once", SIZE_PX, 10.0)
    assert _numbers(camera, 5) == [1] * 5
    assert not camera.finished


def test_picture_has_its_colours_and_the_size_asked_for(tmp_path: Path) -> None:
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[..., 0] = 250
    cv2.imwrite(str(tmp_path / "red.png"), picture[..., ::-1])
    frame = open_camera(f"file:{tmp_path / 'red.png'}", SIZE_PX, 10.0).capture(5)
    assert frame is not None
    assert frame.pixels.shape == (48, 64, 3)
    assert frame.pixels[10, 10].tolist() == [250, 0, 0]


def test_folder_plays_there_and_back(folder: Path) -> None:
    camera = open_camera(f"file:{folder}", SIZE_PX, 10.0)
    assert _numbers(camera, 10) == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]


def test_folder_plays_once(folder: Path) -> None:
    camera = open_camera(f"file:{folder}?loop=once", SIZE_PX, 10.0)
    assert _numbers(camera, 6) == [0, 1, 2, 3, None, None]
    assert camera.finished


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv"])
@pytest.mark.parametrize("gop", [1, 5, 100])
def test_clip_plays_there_and_back(tmp_path: Path, name: str, gop: int) -> None:
    _write_clip(tmp_path / name, frames=20, gop=gop)
    camera = open_camera(f"file:{tmp_path / name}", SIZE_PX, 10.0)
    there = list(range(20))
    assert _numbers(camera, 60) == [*there, *there[-2:0:-1], *there, 18, 17]
    camera.close()


def test_clip_plays_backwards_through_a_window_shorter_than_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pantel_device.cameras.clip._WINDOW_BYTES", 3 * 64 * 48 * 4)
    _write_clip(tmp_path / "clip.mp4", frames=20, gop=100)
    camera = open_camera(f"file:{tmp_path / 'clip.mp4'}", SIZE_PX, 10.0)
    assert _numbers(camera, 39) == [*range(20), *range(18, -1, -1)]


def test_clip_without_its_index_plays_there_and_back(tmp_path: Path) -> None:
    _write_clip(tmp_path / "whole.mkv", frames=8)
    data = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[:-40])
    assert _numbers(open_camera(f"file:{tmp_path / 'cut.mkv'}", SIZE_PX, 10.0), 15) == [
        *range(8),
        *range(6, -1, -1),
    ]


def test_clip_plays_once(tmp_path: Path) -> None:
    _write_clip(tmp_path / "clip.mp4", frames=5)
    camera = open_camera(f"file:{tmp_path / 'clip.mp4'}?loop=once", SIZE_PX, 10.0)
    assert _numbers(camera, 7) == [0, 1, 2, 3, 4, None, None]
    assert camera.finished


@pytest.mark.parametrize(("fps", "expected"), [(25, [0, 2, 5, 7, 10, 12]), (5, [0, 0, 1, 1, 2, 2])])
def test_clip_plays_by_time_stamp(tmp_path: Path, fps: int, expected: list[int]) -> None:
    _write_clip(tmp_path / "clip.mp4", frames=20, fps=fps)
    assert _numbers(open_camera(f"file:{tmp_path / 'clip.mp4'}", SIZE_PX, 10.0), 6) == expected


def test_clip_of_the_cameras_own_rate_shows_every_frame(tmp_path: Path) -> None:
    _write_clip(tmp_path / "clip.mp4", frames=20, fps=30)
    camera = open_camera(f"file:{tmp_path / 'clip.mp4'}", SIZE_PX, 30.0)
    frames = [camera.capture(round(k * 1e9 / 30)) for k in range(20)]
    assert [round(float(frame.pixels.mean()) / 10) for frame in frames if frame] == list(range(20))


def test_clip_catches_up_with_a_late_caller(tmp_path: Path) -> None:
    _write_clip(tmp_path / "clip.mp4", frames=20)
    camera = open_camera(f"file:{tmp_path / 'clip.mp4'}", SIZE_PX, 10.0)
    assert _numbers(camera, 5, step_ns=7 * TENTH_NS) == [0, 7, 14, 17, 10]


def test_truncated_clip_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    _write_clip(tmp_path / "whole.avi", frames=20)
    data = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) * 3 // 4])
    numbers = _numbers(open_camera(f"file:{tmp_path / 'cut.avi'}", SIZE_PX, 10.0), 30)
    assert None not in numbers
    assert max(number for number in numbers if number is not None) < 19


def test_closed_camera_gives_no_more_frames(folder: Path) -> None:
    camera = open_camera(f"file:{folder}", SIZE_PX, 10.0)
    camera.close()
    assert camera.finished
    assert camera.capture(0) is None


def _text(path: Path) -> str:
    path.with_suffix(".txt").write_text("no picture\n" * 100)
    return f"file:{path}.txt"


def _truncated_picture(path: Path) -> str:
    data = cv2.imencode(".jpg", _grey_picture(9))[1].tobytes()
    path.with_suffix(".jpg").write_bytes(data[:200])
    return f"file:{path}.jpg"


def _empty_file(path: Path) -> str:
    path.with_suffix(".mp4").touch()
    return f"file:{path}.mp4"


def _sound(path: Path) -> str:
    path.with_suffix(".wav").write_bytes(
        b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x10\0\0\0" + bytes(16)
    )
    return f"file:{path}.wav"


def _empty_folder(path: Path) -> str:
    path.mkdir()
    return f"file:{path}"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("webcam", "there is no camera 'webcam'; name one as file:PATH, test or test:SEED, v4l2:DEVICE, picamera2 or"),
        ("", "there is no camera ''; name one as"),
        ("file:", "lacks its path; write for example file:walk.mp4"),
        ("file:/nowhere/walk.mp4", "does not exist; name a clip, a picture or a folder of pictures"),
        ("file:walk.mp4?loop=yes", "loop=yes is unknown; choose one of pingpong, once"),
        ("test:seven", "the seed in test:seven is no number; write for example test:7"),
        ("test:-1", "the seed in test:-1 is no number"),
        ("v4l2:/dev/nowhere", "there is no camera /dev/nowhere; plug it in"),
        ("picamera2:front", "the camera in picamera2:front is no number; write for example picamera2:1"),
    ],
)
def test_wrong_name_is_one_line(name: str, line: str) -> None:
    with pytest.raises(CameraError) as caught:
        open_camera(name, SIZE_PX, 10.0)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (_text, "there is no video in it"),
        (_sound, "there is no video in it"),
        (_truncated_picture, "is not a picture that can be read; name a PNG, JPEG, WebP or similar file"),
        (_empty_file, "is neither a picture nor a clip that can be decoded"),
        (_empty_folder, "holds no pictures; put some there or name another folder"),
    ],
)
def test_wrong_file_is_one_line(tmp_path: Path, make: Callable[[Path], str], line: str) -> None:
    with pytest.raises(CameraError) as caught:
        open_camera(make(tmp_path / "thing"), SIZE_PX, 10.0)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_noise_is_a_camera_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for suffix in (".mp4", ".avi", ".png", ".jpg", ".gif", ""):
        path = tmp_path / f"noise{suffix}"
        path.write_bytes(rng.bytes(5000))
        with pytest.raises(CameraError):
            open_camera(f"file:{path}", SIZE_PX, 10.0)


def test_picture_that_vanishes_from_a_folder_is_one_line(folder: Path) -> None:
    camera = open_camera(f"file:{folder}", SIZE_PX, 10.0)
    camera.capture(0)
    (folder / "1.jpg").unlink()
    with pytest.raises(CameraError, match=r"cannot read .*1\.jpg: No such file .*; check the name and its rights"):
        camera.capture(TENTH_NS)


def test_question_mark_may_be_part_of_a_path(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "what?.png"), _grey_picture(30))
    assert isinstance(open_camera(f"file:{tmp_path / 'what?.png'}", SIZE_PX, 10.0), FileCamera)


def _coarse(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the mean grey level of 4x3 blocks."""
    blocks = pixels.reshape(3, -1, 4, pixels.shape[1] // 4, 3)
    return np.asarray(np.rint(blocks.mean(axis=(1, 3, 4))), np.int64)


@pytest.mark.parametrize(
    ("index", "golden"),
    [
        (0, [[51, 56, 50, 37], [81, 83, 72, 53], [83, 105, 69, 52]]),
        (123, [[50, 56, 50, 44], [81, 82, 72, 55], [91, 96, 94, 76]]),
    ],
)
def test_golden_scene(index: int, golden: list[list[int]]) -> None:
    pixels = SyntheticCamera((320, 240), 10.0, seed=7)._picture(index)
    # Processors may round interpolation differently; a change of the scene moves these means by far more.
    assert np.abs(_coarse(pixels) - golden).max() <= 1


def test_scene_is_a_function_of_seed_and_time() -> None:
    def digest(seed: int, start_ns: int, steps: range) -> str:
        camera = open_camera(f"test:{seed}", (160, 120), 10.0)
        frame = None
        for step in steps:
            frame = camera.capture(start_ns + step * TENTH_NS)
        assert frame is not None
        return hashlib.sha256(frame.pixels.tobytes()).hexdigest()

    assert digest(1, 0, range(40)) == digest(1, 123, range(0, 40, 39))
    assert digest(1, 0, range(40)) != digest(2, 0, range(40))
    assert digest(1, 0, range(40)) != digest(1, 0, range(39))


@settings(max_examples=25)
@given(width=st.integers(32, 200), height=st.integers(32, 200), seed=st.integers(0, 2**64))
def test_scene_takes_any_size(width: int, height: int, seed: int) -> None:
    camera = SyntheticCamera((width, height), 10.0, seed=seed)
    for time_ns in (0, 7_777_777_777):
        frame = camera.capture(time_ns)
        assert frame is not None
        assert frame.pixels.shape == (height, width, 3)
        for box in camera.truth(time_ns):
            assert 0 <= box.x0 < box.x1 <= width
            assert 0 <= box.y0 < box.y1 <= height


def test_true_boxes_hold_what_moves() -> None:
    camera = SyntheticCamera((320, 240), 10.0, seed=3)
    background = camera._background
    inside = outside = 0
    for k in range(0, 300, 10):
        frame = camera.capture(k * TENTH_NS)
        assert frame is not None
        changed = np.abs(frame.pixels - background).max(axis=2) > 25
        boxes = np.zeros(changed.shape, np.bool_)
        for box in camera.truth(k * TENTH_NS):
            boxes[int(box.y0) : int(np.ceil(box.y1)) + 1, int(box.x0) : int(np.ceil(box.x1)) + 1] = True
        inside += int((changed & boxes).sum())
        outside += int((changed & ~boxes).sum())
    assert inside > 30 * 1000
    assert outside < 0.05 * inside  # what is left of objects that are mostly out of view


def test_damaged_asset_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "launch_pad.webp").write_bytes(b"no picture")
    monkeypatch.setattr("pantel_device.cameras.synthetic.files", lambda _: tmp_path)
    with pytest.raises(CameraError, match="launch_pad is damaged; install pantel again"):
        open_camera("test", SIZE_PX, 10.0)
