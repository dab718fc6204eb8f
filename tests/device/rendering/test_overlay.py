"""The overlay: it says what is old and what is only expected, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_device.frame import Box
from pantel_device.receiving.alarms_in import ReceivedAlarm
from pantel_device.receiving.sink import Picture, SenderName
from pantel_device.rendering.overlay import draw_overlay
from pantel_device.rendering.renderer import ShownObject

_S = 1_000_000_000
_NOW_NS, _SHOWN_NS = 100 * _S, 98 * _S
_BOX = Box(30.4, 40.2, 60.1, 90.7)
_SEEN = ShownObject(3, 0, _BOX, looks_ns=_SHOWN_NS - _S, known_ns=_SHOWN_NS + _S)


def _picture(*objects: ShownObject, height_px: int = 240) -> Picture:
    width_px = height_px * 4 // 3
    pixels = np.full((height_px, width_px, 3), 90, np.uint8)
    pixels[::3] = 140
    age_s = np.zeros((-(-height_px // 16), -(-width_px // 16)), np.float32)
    return Picture(
        time_ns=_NOW_NS,
        shown_ns=_SHOWN_NS,
        capture_time_ns=_NOW_NS - _S,
        pixels=pixels,
        sender=SenderName("DK1AB", 0),
        cell_age_s=age_s,
        objects=objects,
    )


def _twice(picture: Picture) -> NDArray[np.uint8]:
    return picture.pixels.repeat(2, axis=0).repeat(2, axis=1)


def _changed(picture: Picture) -> NDArray[np.bool_]:
    """Return (H, W) bool: what the overlay has drawn on."""
    drawn = draw_overlay(picture)
    assert drawn.dtype == np.uint8
    return np.asarray((drawn != _twice(picture)).any(axis=2), np.bool_)


def _outline(box: Box) -> NDArray[np.bool_]:
    """Return (480, 640) bool: the line along the edges of a box, in the enlarged picture."""
    x0, y0, x1, y1 = (round(2 * edge) for edge in (box.x0, box.y0, box.x1, box.y1))
    line = np.zeros((480, 640), np.bool_)
    line[y0:y1, x0:x1] = True
    line[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1] = False
    return line


def test_where_there_is_nothing_to_say_nothing_is_drawn() -> None:
    picture = _picture()
    assert np.array_equal(draw_overlay(picture), _twice(picture))


def test_large_pictures_keep_their_size() -> None:
    picture = _picture(height_px=480)
    assert np.array_equal(draw_overlay(picture), picture.pixels)


def test_the_picture_itself_is_never_changed() -> None:
    age_s = np.full((15, 20), np.inf, np.float32)
    age_s[:3] = 90
    objects = (_SEEN, replace(_SEEN, class_id=1, known_ns=0))
    for height_px in (240, 480):
        picture = _picture(*objects, height_px=height_px)
        if height_px == 240:
            picture = replace(picture, cell_age_s=age_s)
        before = picture.pixels.copy(), picture.cell_age_s.copy()
        drawn = draw_overlay(picture)
        assert np.array_equal(picture.pixels, before[0])
        assert np.array_equal(picture.cell_age_s, before[1])
        assert not np.shares_memory(drawn, picture.pixels)


def test_an_object_has_a_box_and_nothing_else_is_touched() -> None:
    changed = _changed(_picture(_SEEN))
    line = _outline(_BOX)
    assert changed[line].all()
    wider = Box(_BOX.x0 - 1, _BOX.y0 - 1, _BOX.x1 + 1, _BOX.y1 + 1)
    outside = np.ones_like(changed)
    outside[round(2 * wider.y0) : round(2 * wider.y1), round(2 * wider.x0) : round(2 * wider.x1)] = False
    assert not changed[outside].any()
    assert not changed[100:160, 80:100].any()  # the object itself


def test_what_is_only_expected_is_dashed_and_of_another_colour() -> None:
    line = _outline(_BOX)
    received, expected = (
        draw_overlay(_picture(replace(_SEEN, known_ns=known_ns))) for known_ns in (_SHOWN_NS, _SHOWN_NS - 1)
    )
    bare = _twice(_picture())
    colours = np.unique(received[line], axis=0)
    assert len(colours) == 1
    drawn = (expected != bare).any(axis=2)
    assert 0.3 < drawn[line].mean() < 0.8
    dashes = expected[line & drawn]
    assert len(np.unique(dashes, axis=0)) >= 1
    assert not (dashes == colours[0]).all(axis=1).any()


def _has_text(shown: ShownObject) -> bool:
    """Whether more than a box is drawn for an object."""
    changed = _changed(_picture(shown))
    changed[round(2 * _BOX.y0) - 1 : round(2 * _BOX.y1) + 1, round(2 * _BOX.x0) - 1 : round(2 * _BOX.x1) + 1] = False
    return bool(changed.any())


@pytest.mark.parametrize(
    ("class_id", "looks_s", "known_s", "text"),
    [
        (0, 1.0, -1.0, False),
        (1, 1.0, -1.0, True),  # a person
        (80, 1.0, -1.0, True),  # a toothbrush
        (100, 1.0, -1.0, False),  # of a newer sender: no name for it here
        (0, 2.5, -1.0, True),
        (0, 1.0, 2.5, True),
        (0, 1.9, 1.9, False),
    ],
)
def test_what_it_is_and_how_old_it_is(class_id: int, looks_s: float, known_s: float, text: bool) -> None:
    shown = ShownObject(3, class_id, _BOX, _SHOWN_NS - round(looks_s * _S), _SHOWN_NS - round(known_s * _S))
    assert _has_text(shown) is text


def test_ages_are_of_whole_seconds() -> None:
    def drawn(age_s: float) -> bytes:
        return draw_overlay(_picture(replace(_SEEN, looks_ns=_SHOWN_NS - round(age_s * _S)))).tobytes()

    assert drawn(5.1) == drawn(5.9)
    assert drawn(5.9) != drawn(6.0)


def test_what_was_never_received_is_hatched() -> None:
    age_s = np.zeros((15, 20), np.float32)
    age_s[2:4, 5:9] = np.inf
    changed = _changed(replace(_picture(), cell_age_s=age_s))
    inside = changed[64:128, 160:288]
    assert 0.05 < inside.mean() < 0.5
    for row in range(2):
        for column in range(4):
            assert inside[32 * row : 32 * row + 32, 32 * column : 32 * column + 32].any()
    changed[64:128, 160:288] = False
    assert not changed.any()


def test_what_stands_before_an_unknown_background_is_not_hatched() -> None:
    picture = replace(_picture(_SEEN), cell_age_s=np.full((15, 20), np.inf, np.float32))
    changed = _changed(picture)
    assert not changed[90:170, 70:110].any()
    assert changed[:, 130:].any()


def test_cells_that_the_picture_cuts_off_are_hatched_too() -> None:
    picture = _picture()
    picture = replace(
        picture, pixels=picture.pixels[:235, :315].copy(), cell_age_s=np.full((15, 20), np.inf, np.float32)
    )
    assert draw_overlay(picture).shape == (470, 630, 3)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"cell_age_s": np.full((15, 20), 9, np.float32)}, 0),
        ({"cell_age_s": np.full((15, 20), 12, np.float32)}, 1),
        ({"cell_age_s": np.full((15, 20), 4000, np.float32)}, 1),
        ({"capture_time_ns": _NOW_NS - 20 * _S}, 1),
        ({"cell_age_s": np.full((15, 20), 12, np.float32), "capture_time_ns": _NOW_NS - 20 * _S}, 2),
    ],
)
def test_an_old_background_and_silence_are_told_at_the_lower_edge(changes: dict[str, object], lines: int) -> None:
    rows = np.asarray(_changed(replace(_picture(), **changes)).any(axis=1))  # type: ignore[arg-type]
    assert not rows[: 480 - 13 * lines].any()
    assert rows[480 - 13 * lines :].all()


_ALARM = ReceivedAlarm("DK1AB", 3, True, "gate", replace(_BOX, label="person"), _NOW_NS - 3 * _S)


def test_an_alarm_has_a_red_box_and_a_line_at_the_upper_edge() -> None:
    picture = replace(_picture(_SEEN), alarms=(_ALARM,))
    drawn, changed = draw_overlay(picture), _changed(picture)
    reds = np.unique(drawn[_outline(_BOX)], axis=0)
    assert len(reds) == 1  # over the green box of the object
    assert reds[0, 0] > 200
    assert reds[0, 1:].max() < 100
    line = changed[:13]
    assert line[:, :100].all()
    assert not line[:, 400:].any()
    assert not changed[13:70].any()


def test_each_alarm_has_a_line_and_its_age_is_that_of_now() -> None:
    def drawn(*alarms: ReceivedAlarm) -> NDArray[np.uint8]:
        return draw_overlay(replace(_picture(), alarms=alarms))

    other = replace(_ALARM, number=4, zone="", box=Box(200, 150, 220, 200))
    changed = np.asarray((drawn(_ALARM, other) != _twice(_picture())).any(axis=2), np.bool_)
    assert changed[:26, :60].all()
    assert not changed[26:70].any()
    assert not np.array_equal(drawn(_ALARM), drawn(replace(_ALARM, time_ns=_ALARM.time_ns - _S)))
    assert np.array_equal(drawn(replace(_ALARM, time_ns=_NOW_NS)), drawn(replace(_ALARM, time_ns=_NOW_NS + _S)))


@pytest.mark.parametrize(
    "box",
    [Box(-20, -30, 8, 12), Box(300, 220, 340, 260), Box(-50, -50, 400, 300), Box(310, 100, 322, 104), Box(0, 0, 1, 1)],
)
def test_objects_at_the_border_are_marked(box: Box) -> None:
    for known_ns in (0, _NOW_NS):
        drawn = draw_overlay(_picture(ShownObject(0, 1, box, 0, known_ns)))
        assert drawn.shape == (480, 640, 3)
        assert not np.array_equal(drawn, _twice(_picture()))


@pytest.mark.parametrize("box", [Box(-50, 20, -2, 60), Box(330, 20, 350, 60), Box(20, 250, 40, 290)])
def test_objects_outside_the_picture_are_not(box: Box) -> None:
    picture = _picture(ShownObject(0, 1, box, 0, 0))
    assert np.array_equal(draw_overlay(picture), _twice(picture))
