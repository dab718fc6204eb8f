"""The observer: moving boxes found, light and shadow ignored, the region of interest and its contours."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.device.observer.views import View, frames

from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.errors import DetectorError
from pantel_device.frame import Box, Frame
from pantel_device.observer import Motion, MotionDetector, Observer, region_contours, roi_mask
from pantel_device.observer.detector_outage import DetectorOutage
from pantel_models import contour_map

TENTH_NS = 100_000_000
SIZE_PX = (320, 240)


def _scene(level: float = 1.0, *, square_at: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Return a textured street of a brightness, with a red square of 40 pixels somewhere."""
    x, y = np.meshgrid(np.arange(320), np.arange(240))
    street = 110 + 25 * np.sin(x / 9) + 25 * np.sin(y / 7 + x / 31)
    picture = np.repeat(street[..., None], 3, axis=2)
    if square_at is not None:
        column, row = square_at
        picture[row : row + 40, column : column + 40] = 200, 30, 30
    return np.clip(picture * level, 0, 255).astype(np.uint8)


def _frames(*pictures: NDArray[np.uint8]) -> Iterator[Frame]:
    rng = np.random.default_rng(0)
    for index, picture in enumerate(pictures):
        noisy = np.clip(picture + rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
        yield Frame(index, index * TENTH_NS, noisy)


def _seen(detector: MotionDetector, frames: Iterable[Frame]) -> Iterator[Motion]:
    """Yield what moves, and let the background follow: nothing says where it is hidden."""
    for frame in frames:
        yield detector.detect(frame)
        detector.learn(frame.pixels, frame.time_ns)


def _walk(count: int) -> list[NDArray[np.uint8]]:
    return [_scene(square_at=(5 * step, 100)) for step in range(count)]


class _Sees:
    """A detector that always gives the same answer, and counts its calls."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = boxes
        self.calls = 0

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        assert pixels.shape == (240, 320, 3)
        self.calls += 1
        return self.boxes


def test_first_frame_moves_nowhere() -> None:
    motion = MotionDetector().detect(next(_frames(_scene())))
    assert motion.boxes == ()
    assert motion.mask.shape == (240, 320)
    assert not motion.mask.any()


def test_still_scene_stays_still() -> None:
    detector = MotionDetector()
    assert not any(motion.boxes for motion in _seen(detector, _frames(*[_scene()] * 60)))


def test_walker_is_found() -> None:
    detector = MotionDetector()
    for step, motion in enumerate(_seen(detector, _frames(*[_scene()] * 10, *_walk(50))), start=-10):
        if step < 0:
            continue
        assert len(motion.boxes) == 1
        assert motion.boxes[0].iou(Box(5 * step, 100, 5 * step + 40, 140)) > 0.8
        assert motion.mask[110:130, 5 * step + 10 : 5 * step + 30].all()


def test_boxes_of_a_large_picture_are_in_its_pixels() -> None:
    detector = MotionDetector()
    detector.detect(Frame(0, 0, cv2.resize(_scene(), (960, 720)).astype(np.uint8)))
    motion = detector.detect(Frame(1, TENTH_NS, cv2.resize(_scene(square_at=(100, 60)), (960, 720)).astype(np.uint8)))
    assert motion.boxes[0].iou(Box(300, 180, 420, 300)) > 0.8
    assert motion.mask.shape == (720, 960)


@pytest.mark.parametrize("level", [0.6, 0.8, 1.25])
def test_exposure_is_no_motion(level: float) -> None:
    detector = MotionDetector()
    frames = _frames(*[_scene()] * 20, *[_scene(level)] * 20)
    assert not any(motion.boxes for motion in _seen(detector, frames))


def test_shadow_is_no_motion() -> None:
    shaded = _scene().astype(np.float64)
    shaded[150:200, 100:200] *= 0.75
    detector = MotionDetector()
    frames = _frames(*[_scene()] * 20, *[shaded.astype(np.uint8)] * 5)
    assert not any(motion.boxes for motion in _seen(detector, frames))


def test_walker_without_his_shadow() -> None:
    picture = _scene(square_at=(100, 60)).astype(np.float64)
    picture[90:100, 140:220] *= 0.75
    detector = MotionDetector()
    *_, motion = _seen(detector, _frames(*[_scene()] * 20, picture.astype(np.uint8)))
    assert motion.boxes[0].iou(Box(100, 60, 140, 100)) > 0.8


def test_what_left_its_place_leaves_no_ghost() -> None:
    detector = MotionDetector()
    stood = [_scene(square_at=(200, 100))] * 50
    *_, motion = _seen(detector, _frames(*stood, *[_scene()] * 3))
    assert motion.boxes == ()


def test_who_stops_for_a_while_stays_found() -> None:
    detector = MotionDetector()
    *_, motion = _seen(detector, _frames(*[_scene()] * 120, *[_scene(square_at=(200, 100))] * 40))
    assert len(motion.boxes) == 1


def test_turning_camera_reports_nothing_and_learns_anew() -> None:
    elsewhere = np.roll(255 - _scene(), 50, axis=1)
    detector = MotionDetector()
    frames = _frames(*[_scene()] * 30, *[elsewhere] * 30)
    motions = list(_seen(detector, frames))
    assert not any(motion.boxes for motion in motions)
    walker = elsewhere.copy()
    walker[100:140, 50:90] = 200, 30, 30
    motion = detector.detect(Frame(60, 60 * TENTH_NS, walker))
    assert len(motion.boxes) == 1


def test_moving_objects_of_the_test_camera_are_found() -> None:
    camera, detector = SyntheticCamera(SIZE_PX, 10.0, seed=0), MotionDetector()
    found = wanted = 0
    for k in range(200):
        frame = camera.capture(k * TENTH_NS)
        assert frame is not None
        (motion,) = _seen(detector, [frame])
        boxes = motion.boxes
        if k >= 20:
            truth = camera.truth(k * TENTH_NS)
            wanted += len(truth)
            found += sum(any(true.iou(box) >= 0.3 for box in boxes) for true in truth)
    assert found >= 0.85 * wanted


@settings(max_examples=30)
@given(width=st.integers(1, 400), height=st.integers(1, 400))
def test_motion_takes_any_size(width: int, height: int) -> None:
    detector = MotionDetector()
    for index in range(3):
        motion = detector.detect(Frame(index, index * TENTH_NS, np.full((height, width, 3), 40 * index, np.uint8)))
        assert motion.mask.shape == (height, width)


@given(corners=st.lists(st.tuples(*[st.floats(-100, 500)] * 4), min_size=1, max_size=5), margin=st.floats(0, 20))
def test_roi_is_the_union_of_wider_boxes(corners: list[tuple[float, float, float, float]], margin: float) -> None:
    boxes = [Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)) for x0, y0, x1, y1 in corners]
    mask = roi_mask(boxes, SIZE_PX, margin)
    x, y = np.meshgrid(np.arange(320) + 0.5, np.arange(240) + 0.5)
    expected = np.zeros((240, 320), np.bool_)
    certain = np.ones((240, 320), np.bool_)
    for box in boxes:
        depth = np.minimum(np.minimum(x - box.x0, box.x1 - x) + margin, np.minimum(y - box.y0, box.y1 - y) + margin)
        expected |= depth > 0
        certain &= np.abs(depth) > 0.51
    assert np.array_equal(mask[certain], expected[certain])


def test_roi_without_boxes_is_the_whole_picture() -> None:
    assert roi_mask([], (40, 30), 4).all()


def test_contours_lie_inside_the_region_of_interest() -> None:
    observer = Observer(MotionDetector())
    first, *_, last = map(observer.observe, _frames(*[_scene()] * 10, _scene(square_at=(100, 60))))
    assert first.mask.all()
    assert last.mask[60:100, 100:140].all()
    assert last.mask.mean() < 0.1
    contours = region_contours(last)
    assert contours.any()
    assert not contours[~last.mask].any()
    assert set(np.unique(contours)) == {0, 1}
    for array in (last.mask, last.motion, last.background, last.difference):
        assert not array.flags.writeable


def test_without_a_region_of_interest_all_of_the_picture_counts_alike() -> None:
    observer = Observer(MotionDetector(), region_of_interest=False)
    *_, last = map(observer.observe, _frames(*[_scene()] * 10, _scene(square_at=(100, 60))))
    assert last.mask.all()
    assert np.array_equal(region_contours(last), contour_map(last.frame.pixels))
    assert len(last.boxes) == 1
    assert last.motion[70:90, 110:130].all()


def test_detector_runs_on_every_nth_frame() -> None:
    detector = _Sees()
    observer = Observer(MotionDetector(), detector, detect_every=3)
    for frame in _frames(*[_scene()] * 7):
        observer.observe(frame)
    assert detector.calls == 3


class _FailsAt(_Sees):
    """A detector that fails on some of its calls."""

    def __init__(self, failing: Container[int], *boxes: Box) -> None:
        super().__init__(*boxes)
        self._failing = failing

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        boxes = super().detect(pixels)
        if self.calls - 1 in self._failing:
            raise DetectorError("the detector has had enough; export it anew")
        return boxes


def test_a_detector_that_fails_leaves_it_at_motion_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    detector = _FailsAt(range(1, 4), Box(250, 10, 270, 30, "dog", 0.7, "detector"))
    observer = Observer(MotionDetector(), detector, detect_every=1)
    frames = _frames(*[_scene()] * 10, *[_scene(square_at=(100, 60))] * 70)
    labels = [{box.label for box in observer.observe(frame).boxes} for frame in frames]
    assert labels[0] == {"dog"}
    assert labels[1] == set()
    assert labels[11] == {""}  # what moves, without a name
    assert "dog" in labels[-1]
    # It fails at 0.1 s, is tried after 1 s and after 2 s more, and is well again after 4 s more.
    assert detector.calls == 1 + 3 + (80 - 71)
    assert [record.getMessage() for record in caplog.records] == [
        "detector failed reason=the detector has had enough; export it anew",
        "detector back outage_s=7.0",
    ]


def test_a_detector_that_fails_for_ever_is_said_once_and_tried_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    outage = DetectorOutage()
    tries_s = []
    for second in range(200):
        if not outage.bars(second * 10 * TENTH_NS):
            tries_s.append(second)
            outage.failed(DetectorError("never"), second * 10 * TENTH_NS)
    assert tries_s == [0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181]
    assert caplog.text.count("detector failed") == 1


def test_a_detector_that_comes_and_goes_is_tried_ever_more_rarely() -> None:
    outage = DetectorOutage()
    second_ns = 10 * TENTH_NS
    outage.failed(DetectorError("once"), 0)
    outage.worked(second_ns)
    outage.failed(DetectorError("again"), 2 * second_ns)
    assert outage.bars(4 * second_ns - 1)
    outage.worked(4 * second_ns)
    outage.failed(DetectorError("after a good while"), 40 * second_ns)
    assert outage.bars(41 * second_ns - 1)
    assert not outage.bars(41 * second_ns)


def test_recognized_object_need_not_move() -> None:
    bench = Box(10, 20, 60, 70, "bench", 0.9, "detector")
    observer = Observer(MotionDetector(), _Sees(bench), margin_px=0)
    for observation in map(observer.observe, _frames(*[_scene()] * 7)):
        assert observation.boxes == (bench,)
        assert observation.mask.sum() == 50 * 50


def test_recognized_object_goes_with_what_moves() -> None:
    pictures = [_scene()] * 10 + [_scene(square_at=(100 + 4 * step, 60)) for step in range(10)]
    detector = _Sees(Box(100, 60, 140, 100, "car", 0.9, "detector"))
    observer = Observer(MotionDetector(), detector, detect_every=10)
    *_, last = map(observer.observe, _frames(*pictures))
    assert len(last.boxes) == 1
    assert last.boxes[0].label == "car"
    assert last.boxes[0].iou(Box(136, 60, 176, 100)) > 0.8


def test_group_is_given_up_for_its_members() -> None:
    left, right = (Box(x, 60, x + 20, 100, "person", 0.8, "detector") for x in (100, 120))  # the square is both of them
    stray = Box(250, 10, 270, 30, "dog", 0.7, "detector")
    observer = Observer(MotionDetector(), _Sees(left, right, stray), detect_every=1)
    *_, last = map(observer.observe, _frames(*[_scene()] * 10, _scene(square_at=(100, 60))))
    assert last.boxes == (left, right, stray)


def test_who_walks_is_tracked_by_name() -> None:
    class Sees(_Sees):
        """Recognizes a person wherever the square is."""

        def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
            rows, columns = np.nonzero((pixels[..., 0] > 180) & (pixels[..., 1] < 60))
            if rows.size == 0:
                return ()
            x0, y0, x1, y1 = (int(edge) for edge in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
            return (Box(x0, y0, x1, y1, "person", 0.9, "detector"),)

    observer = Observer(MotionDetector(), Sees())
    street = [_scene()] * 10
    for step, observation in enumerate(map(observer.observe, _frames(*street, *_walk(40))), start=-10):
        if step >= 10:
            (track,) = observation.tracks
            assert (track.label, track.track_id) == ("person", 1)
            assert track.box.iou(Box(5 * step, 100, 5 * step + 40, 140)) > 0.6
            # The background never shows him, and the difference always does.
            assert np.abs(observation.background.astype(int) - _scene()).mean() < 3
            assert observation.difference[110:130, 5 * step + 10 : 5 * step + 30].mean() > 40
    assert track.travelled


def test_the_exposure_of_a_frame_is_told_apart_from_what_moves() -> None:
    dimmed = (_scene(square_at=(100, 60)) * 0.7).astype(np.uint8)
    *_, last = map(Observer(MotionDetector()).observe, _frames(*[_scene()] * 20, dimmed))
    assert last.exposure == pytest.approx([np.log2(0.7)] * 3, abs=0.08)
    outside = np.ones((240, 320), np.bool_)
    outside[55:105, 95:145] = False
    assert last.difference[outside].mean() < 4
    assert last.difference[65:95, 105:135].mean() > 30
    assert last.background.mean() == pytest.approx(_scene().mean(), abs=2)


@given(st.tuples(*[st.integers(0, 20)] * 8))
def test_iou_counts_pixels(sides: tuple[int, ...]) -> None:
    a, b = (Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)) for x0, y0, x1, y1 in (sides[:4], sides[4:]))
    masks = np.zeros((2, 20, 20), np.bool_)
    for mask, box in zip(masks, (a, b), strict=True):
        mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = True
    either = np.logical_or(*masks).sum()
    assert a.iou(b) == pytest.approx(np.logical_and(*masks).sum() / either if either else 0)
    assert a.iou(b) == b.iou(a)


@pytest.mark.parametrize("step_px", [1.0, 3.0, 6.0])
def test_where_the_camera_looks_is_known_from_the_beginning_of_its_motion(step_px: float) -> None:
    """Also of the frames before it was clear that it moves."""
    pictures = [View(x=220 + step_px * min(max(k - 15, 0), 20)).picture() for k in range(36)]
    *_, last = map(Observer(MotionDetector()).observe, frames(*pictures))
    assert last.camera.matrix[0, 2] == pytest.approx(-20 * step_px, abs=1.5 + 0.05 * 20 * step_px)
    assert abs(last.camera.matrix[1, 2]) < 1.5
