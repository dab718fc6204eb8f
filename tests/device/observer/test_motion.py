"""Motion before a camera that moves, is knocked, or trembles; a camera that stands still is in `test_observer.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer.views import SIZE_PX, TENTH_NS, View, frames

from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.frame import Box, Frame
from pantel_device.observer import Motion, MotionDetector, Observer
from pantel_device.observer.background import CarriedBackground
from pantel_device.observer.camera_motion import CameraMotion


def _seen(detector: MotionDetector, pictures: Iterable[NDArray[np.uint8]]) -> Iterator[Motion]:
    for frame in frames(*pictures):
        yield detector.detect(frame)
        detector.learn(frame.pixels, frame.time_ns)


def _walker(step: int) -> Box:
    return Box(30 + 3 * step, 120, 60 + 3 * step, 190)


def _false(motion: Motion, *objects: Box) -> int:
    """Count regions that hold no object."""
    return sum(
        max((box.intersection_px(each) for each in objects), default=0) < 0.3 * box.area_px for box in motion.boxes
    )


Camera = Callable[[int], View]

_CAMERAS: dict[str, Camera] = {
    "slow pan": lambda k: View(x=220 + 1.5 * k),
    "pan": lambda k: View(x=200 + 4 * k),
    "fast pan": lambda k: View(x=180 + 9 * min(k, 45)),
    "tilt and turn": lambda k: View(y=230 - 1.2 * k, turn=0.3 * k),
    "zoom": lambda k: View(zoom=1.01**k),
}


@pytest.mark.parametrize("camera", _CAMERAS.values(), ids=_CAMERAS.keys())
def test_who_crosses_while_the_camera_moves_is_found_and_little_else(camera: Camera) -> None:
    pictures = [camera(step).picture(_walker(step)) for step in range(45)]
    found = false = 0
    for step, motion in enumerate(_seen(MotionDetector(), pictures)):
        if step >= 20:  # by then it was noticed that the camera moves, and who moves over the ground
            assert motion.camera is not None
            found += any(box.iou(_walker(step)) >= 0.5 for box in motion.boxes)
            false += _false(motion, _walker(step))
    assert found >= 20
    assert false <= 2


def test_boxes_go_with_the_camera() -> None:
    pan = _CAMERAS["pan"]
    motions = list(_seen(MotionDetector(), (pan(step).picture() for step in range(30))))
    for step in range(15, 30):
        camera = motions[step].camera
        assert camera is not None
        assert camera.known
        stands = Box(100, 100, 120, 140)
        assert camera.carried(stands).iou(Box(96, 100, 116, 140)) > 0.97


def test_boxes_of_a_large_frame_go_with_the_camera_in_its_pixels() -> None:
    detector = MotionDetector()
    for step in range(20):
        pixels = cv2.resize(View(x=220 + 3 * step).picture(), (960, 720), interpolation=cv2.INTER_CUBIC)
        motion = detector.detect(Frame(step, step * TENTH_NS, np.asarray(pixels, np.uint8)))
    assert motion.camera is not None
    carried = motion.camera.carried(Box(300, 300, 360, 420))
    assert (carried.x0, carried.y0, carried.x1, carried.y1) == pytest.approx((291, 300, 351, 420), abs=1)


def test_an_exposure_jump_while_the_camera_moves_is_no_motion() -> None:
    pan = _CAMERAS["slow pan"]
    pictures = [(pan(step).picture() * (0.7 if step >= 25 else 1.0)).astype(np.uint8) for step in range(40)]
    for step, motion in enumerate(_seen(MotionDetector(), pictures)):
        assert step < 20 or not motion.boxes


def test_a_pan_that_ends_is_followed_by_a_background_learned_anew() -> None:
    def camera(step: int) -> View:
        return View(x=200 + 3 * min(step, 40))

    detector = MotionDetector()
    motions = list(_seen(detector, (camera(step).picture(_walker(step)) for step in range(70))))
    assert motions[39].camera is not None
    for step in range(50, 70):
        assert motions[step].camera is None
        assert any(box.iou(_walker(step)) >= 0.3 for box in motions[step].boxes)
        assert _false(motions[step], _walker(step)) == 0
    assert cv2.absdiff(detector.background, camera(69).picture())[:, :100].mean() < 4


@pytest.mark.parametrize("shift_px", [4, 15, 70])
def test_a_knock_is_followed_by_a_background_learned_anew(shift_px: int) -> None:
    pictures = [View(x=220 + shift_px * (step >= 20)).picture(_walker(step)) for step in range(60)]
    for step, motion in enumerate(_seen(MotionDetector(), pictures)):
        if step >= 38:  # the camera rests for a second before it is trusted to
            assert motion.camera is None
            assert any(box.iou(_walker(step)) >= 0.3 for box in motion.boxes)
            assert _false(motion, _walker(step)) == 0


def test_a_camera_in_a_dark_room_that_moved_comes_to_rest() -> None:
    dark = np.full((240, 320, 3), 4, np.uint8)
    pictures = [_CAMERAS["pan"](step).picture() for step in range(20)] + [dark] * 20
    motions = list(_seen(MotionDetector(), pictures))
    assert motions[19].camera is not None
    assert motions[25].camera is not None
    assert not motions[25].camera.known
    assert motions[-1].camera is None


def test_the_background_of_a_moving_camera_goes_along() -> None:
    pan = _CAMERAS["pan"]
    observer = Observer(MotionDetector())
    for step, frame in enumerate(frames(*[pan(step).picture(_walker(step)) for step in range(40)])):
        observation = observer.observe(frame)
        if step >= 15:
            away = np.ones((240, 320), np.bool_)
            away[110:200, 20 + 3 * step - 30 : 70 + 3 * step] = False  # where he was up to a second ago
            assert observation.difference[away].mean() < 6
            assert observation.difference[130:180, 35 + 3 * step : 55 + 3 * step].mean() > 25


class _Kept(MotionDetector):
    """A detector that keeps what it has found."""

    def __init__(self) -> None:
        super().__init__()
        self.motions: list[Motion] = []

    def detect(self, frame: Frame) -> Motion:
        self.motions.append(super().detect(frame))
        return self.motions[-1]


class _TremblingCamera:
    """The test camera on a mast in the wind."""

    def __init__(self, amplitude_px: float) -> None:
        self._margin_px = 8
        self._camera = SyntheticCamera((SIZE_PX[0] + 16, SIZE_PX[1] + 16), 10.0, seed=0)
        self._amplitude_px = amplitude_px

    def _offsets(self, index: int) -> list[float]:
        time_s = index / 10
        waves = (0.7 * np.sin(4.4 * time_s + phase) + 0.3 * np.sin(14.5 * time_s + 2 * phase) for phase in (0.0, 1.3))
        return [self._amplitude_px * float(wave) for wave in waves]

    def capture(self, index: int) -> tuple[Frame, Sequence[Box]]:
        """Return a frame and what is to be found in it."""
        frame = self._camera.capture(index * TENTH_NS)
        assert frame is not None
        dx, dy = (offset - self._margin_px for offset in self._offsets(index))
        shift = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
        boxes = self._camera.truth(index * TENTH_NS)
        moved = [Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy) for box in boxes]
        return Frame(index, index * TENTH_NS, np.asarray(cv2.warpAffine(frame.pixels, shift, SIZE_PX), np.uint8)), moved


@pytest.mark.parametrize("amplitude_px", [1.0, 2.0])
def test_a_trembling_mast_makes_few_false_movers_after_some_seconds(amplitude_px: float) -> None:
    camera, detector = _TremblingCamera(amplitude_px), _Kept()
    observer = Observer(detector)
    false = np.zeros(160)
    found = wanted = 0
    for index in range(160):
        frame, truth = camera.capture(index)
        observer.observe(frame)
        false[index] = _false(detector.motions[-1], *truth)
        if index >= 80:
            wanted += len(truth)
            found += sum(any(box.iou(each) >= 0.3 for box in detector.motions[-1].boxes) for each in truth)
    assert false[80:].mean() < 0.5 * max(false[20:45].mean(), 1.0)
    assert false[80:].mean() < 0.8
    assert found > 0.8 * wanted
    assert all(motion.camera is None for motion in detector.motions)


def test_what_a_moving_camera_saw_is_kept_where_objects_hide_it() -> None:
    ground, covered = View().picture(), View().picture(_walker(0))
    background = CarriedBackground(ground, 0)
    hidden = np.zeros((240, 320), np.bool_)
    hidden[115:195, 25:65] = True
    background.learn(covered, 5 * TENTH_NS, hidden)
    assert np.array_equal(background.picture, ground)
    background.learn(covered, 10 * TENTH_NS, hidden)
    assert np.array_equal(background.picture, ground)
    background.learn(covered, 20 * TENTH_NS)
    assert np.array_equal(background.picture, covered)


def test_what_comes_into_view_is_background_at_once() -> None:
    step = CameraMotion(np.array([[1.0, 0.0, -10.0], [0.0, 1.0, 0.0]]), 1.0)
    black, white = np.zeros((40, 60, 3), np.uint8), np.full((40, 60, 3), 255, np.uint8)
    background = CarriedBackground(black, 0)
    for count in (1, 2):
        before = background.picture
        background.carry(step, white)
        assert background.picture is not before
        assert not background.picture[:, : 59 - 10 * count].any()
        assert (background.picture[:, 61 - 10 * count :] == 255).all()
    assert not black.any()
