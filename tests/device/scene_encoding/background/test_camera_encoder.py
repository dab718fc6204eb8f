"""Where the camera looks: when a mosaic begins, what is told of it, and how often."""

from __future__ import annotations

import numpy as np

from pantel_codec import (
    MOSAICS,
    TURN_LIMIT,
    ZOOM_LIMIT,
    CameraElement,
    CameraPose,
    LinkElement,
    mosaic_size_px,
    shift_limit_px,
)
from pantel_device.frame import CameraPlace
from pantel_device.scene_encoding.background.camera_encoder import CameraEncoder

_SIZE_PX = (320, 240)
_S = 1_000_000_000
_STEP_NS = 400_000_000


def _place(x: float = 0.0, y: float = 0.0, zoom: float = 1.0, turn: float = 0.0, era: int = 0) -> CameraPlace:
    """Return the place of a camera that sees what lay at (x, y) in its middle, larger and turned."""
    a, b = zoom * np.cos(turn), zoom * np.sin(turn)
    to_middle = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y], [0.0, 0.0, 1.0]])
    return CameraPlace(era, np.array([[a, -b, 0.0], [b, a, 0.0], [0.0, 0.0, 1.0]]) @ to_middle)


def _told(camera: CameraEncoder, place: CameraPlace, number: int) -> list[CameraElement | LinkElement]:
    camera.look(place, number * _STEP_NS)
    return camera.elements(4, (number + 1) * _STEP_NS)


def test_a_camera_that_stands_still_tells_nothing() -> None:
    camera = CameraEncoder(_SIZE_PX)
    for number in range(20):
        assert not camera.look(_place(x=0.05 * number), number * _STEP_NS)
        assert camera.elements(4, number * _STEP_NS) == []
    assert camera.number is None


def test_a_camera_that_begins_to_move_begins_a_mosaic() -> None:
    camera = CameraEncoder(_SIZE_PX)
    assert not camera.look(_place(), 0)
    assert camera.look(_place(x=6, y=-3), _STEP_NS)
    assert camera.elements(4, 2 * _STEP_NS) == [
        CameraElement(0, 4, CameraPose(0, 0, 0, 0)),
        LinkElement(0, None, CameraPose(6, -3, 0, 0)),
    ]
    assert not camera.look(_place(x=16, y=-3), 2 * _STEP_NS)
    assert camera.elements(4, 3 * _STEP_NS)[0] == CameraElement(0, 4, CameraPose(10, 0, 0, 0))


def test_zooms_and_turns_are_told() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    _told(camera, _place(x=5), 1)
    (element, *_) = _told(camera, _place(x=5, zoom=2 ** (8 / 64), turn=10 / 128), 2)
    assert element == CameraElement(0, 4, CameraPose(0, 0, -8, -10))  # what is seen now is smaller in the mosaic


def test_a_link_is_told_some_times_and_now_and_then() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    links = [len(_told(camera, _place(x=5), number)) == 2 for number in range(1, 40)]
    assert links[:3] == [True] * 3
    assert not any(links[3:16])
    assert sum(links) in {4, 5}


def test_the_pose_of_a_camera_that_rests_is_told_now_and_then() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    told = [_told(camera, _place(x=5), number)[0] for number in range(1, 40)]
    with_pose = [isinstance(each, CameraElement) and each.pose is not None for each in told]
    assert with_pose[:2] == [True, False]
    assert 3 <= sum(with_pose) <= 6


def test_when_the_picture_leaves_a_mosaic_the_next_one_follows() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    numbers: list[int] = []
    for number in range(1, 200):
        place = _place(x=5 + 8 * number)
        if camera.look(place, number * _STEP_NS):
            camera_element, link = camera.elements(4, (number + 1) * _STEP_NS)
            assert isinstance(link, LinkElement)
            assert isinstance(camera_element, CameraElement)
            assert camera_element.pose == CameraPose(0, 0, 0, 0)
            if numbers:
                assert link.parent == numbers[-1]
                assert mosaic_size_px(*_SIZE_PX)[0] / 2 - 160 < link.pose.x <= shift_limit_px(*_SIZE_PX)
            assert camera.number is not None
            numbers.append(camera.number)
    assert numbers == [number % MOSAICS for number in range(len(numbers))]
    assert 16 <= len(numbers) <= 22


def test_a_jump_is_told_as_far_as_it_can_be() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    link = _told(camera, _place(x=900, zoom=0.1, turn=2.0), 1)[1]
    assert isinstance(link, LinkElement)
    assert abs(link.pose.x) <= shift_limit_px(*_SIZE_PX)
    assert abs(link.pose.zoom) <= ZOOM_LIMIT
    assert abs(link.pose.turn) <= TURN_LIMIT


def test_of_another_era_nothing_is_known() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    _told(camera, _place(x=7), 1)
    before = camera.matrix
    assert not camera.look(_place(x=500, era=1), 2 * _STEP_NS)
    np.testing.assert_array_equal(camera.matrix, before)


def test_who_has_stayed_is_where_he_was() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    _told(camera, _place(x=5), 1)
    _told(camera, _place(x=15), 2)
    assert not camera.look(_place(x=23), 3 * _STEP_NS, stayed=True)
    assert camera.elements(4, 4 * _STEP_NS)[0] == CameraElement(0)  # the pose is the same and not told again
    assert _told(camera, _place(x=26), 4)[0] == CameraElement(0, 4, CameraPose(13, 0, 0, 0))


def test_a_link_that_was_lost_is_told_once_more() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    first = _told(camera, _place(x=5), 1)
    for number in range(2, 6):
        _told(camera, _place(x=5), number)
    assert [type(each) for each in _told(camera, _place(x=5), 6)] == [CameraElement]
    camera.lost(first)
    assert first[1] in _told(camera, _place(x=5), 7)
    assert first[1] not in _told(camera, _place(x=5), 8)


def test_a_pose_that_was_lost_is_told_again_if_it_still_holds() -> None:
    camera = CameraEncoder(_SIZE_PX)
    _told(camera, _place(), 0)
    _told(camera, _place(x=5), 1)
    old = _told(camera, _place(x=15), 2)
    newest = _told(camera, _place(x=25), 3)
    for lost, told_again in ((old, False), (newest, True)):
        camera.lost(lost)
        (element, *_) = _told(camera, _place(x=25), 4)
        assert isinstance(element, CameraElement)
        assert (element.pose is not None) is told_again
