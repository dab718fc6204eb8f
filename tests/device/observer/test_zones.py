"""Zones: where they are, what may stand in them, and what nobody sees."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from pantel_device.frame import Box, Frame
from pantel_device.observer import PrivacyMask, Zone, ZoneKind
from pantel_device.observer.zones import interest_weights

_SIZE_PX = (320, 240)
_LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def _zone(
    kind: ZoneKind = ZoneKind.INTEREST, polygon: tuple[tuple[float, float], ...] = _LEFT_HALF, **more: object
) -> Zone:
    return Zone.model_validate({"name": "yard", "kind": kind, "polygon": polygon, **more})


def test_a_zone_covers_its_polygon_at_any_size() -> None:
    for width, height in ((320, 240), (97, 61), (1024, 576)):
        mask = _zone().mask((width, height))
        assert mask.shape == (height, width)
        assert mask.mean() == pytest.approx(0.5, abs=1.5 / width)
        assert mask[:, : width // 2].all()


def test_an_object_stands_where_its_feet_are() -> None:
    lower = _zone(polygon=((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
    assert lower.holds(Box(100, 20, 120, 140), _SIZE_PX)
    assert not lower.holds(Box(100, 20, 120, 110), _SIZE_PX)


@pytest.mark.parametrize("box", [Box(-30, 100, -10, 200), Box(100, 200, 120, 300), Box(-500, -500, -400, -400)])
def test_what_reaches_beyond_the_picture_stands_at_its_border(box: Box) -> None:
    assert _zone(polygon=((0, 0), (1, 0), (1, 1), (0, 1))).holds(box, _SIZE_PX)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("privacy", {"weight": 2}),
        ("alarm", {"weight": 2}),
        ("interest", {"classes": ["person"]}),
        ("privacy", {"dwell_s": 1}),
    ],
)
def test_a_zone_has_only_what_its_kind_has(kind: str, more: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="zones of kind"):
        Zone.model_validate({"name": "yard", "kind": kind, "polygon": _LEFT_HALF, **more})


@pytest.mark.parametrize("polygon", [[], [[0, 0], [1, 1]], [[0, 0], [1, 0], [1, 1.5]], "everywhere"])
def test_a_polygon_has_three_corners_in_the_picture(polygon: object) -> None:
    with pytest.raises(ValidationError, match="polygon"):
        Zone.model_validate({"name": "yard", "kind": "interest", "polygon": polygon})


@pytest.mark.parametrize("kind", list(ZoneKind))
def test_a_polygon_that_crosses_itself_would_hide_half_of_what_it_should(kind: ZoneKind) -> None:
    with pytest.raises(ValidationError, match="crosses or touches itself"):
        _zone(kind, polygon=((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)))


def test_weights_of_zones_that_overlap_multiply() -> None:
    whole = ((0, 0), (1, 0), (1, 1), (0, 1))
    weights = interest_weights([_zone(weight=4.0), _zone(polygon=whole, weight=0.5), _zone(ZoneKind.PRIVACY)], _SIZE_PX)
    assert weights is not None
    assert weights[0, 0] == 2.0
    assert weights[0, -1] == 0.5


def test_without_zones_of_interest_everything_matters_alike() -> None:
    assert interest_weights([_zone(ZoneKind.ALARM), _zone(ZoneKind.PRIVACY)], _SIZE_PX) is None


def test_a_privacy_zone_shows_nothing_of_what_is_there() -> None:
    rng = np.random.default_rng(0)
    mask = PrivacyMask([_zone(ZoneKind.PRIVACY), _zone(ZoneKind.INTEREST)])
    right = rng.integers(0, 256, (240, 160, 3), dtype=np.uint8)
    seen = []
    for _ in range(2):
        left = rng.integers(0, 256, (240, 160, 3), dtype=np.uint8)
        seen.append(mask.masked(Frame(3, 7, np.concatenate([left, right], axis=1))))
    assert np.array_equal(seen[0].pixels, seen[1].pixels)
    assert np.array_equal(seen[0].pixels[:, 161:], right[:, 1:])  # the border's own column is the zone's
    assert (seen[0].index, seen[0].time_ns) == (3, 7)


def test_a_frame_without_privacy_zones_stays_what_it_is() -> None:
    frame = Frame(0, 0, np.zeros((240, 320, 3), np.uint8))
    assert PrivacyMask([_zone(ZoneKind.ALARM)]).masked(frame) is frame
