"""What an operator points at counts several times, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Observation, Track
from pantel_device.scene_encoding.attention import Attention
from pantel_link.back_channel import Region

_REGION = Region(0.5, 0.0, 1.0, 0.5)


def test_pixels_in_the_region_matter_more() -> None:
    weights = Attention(_REGION, 0).weights((160, 112))
    assert weights.shape == (112, 160)
    assert np.unique(weights).tolist() == [1.0, 8.0]
    assert (weights[:56, 80:] == 8.0).all()
    assert (weights == 8.0).sum() == 56 * 80


def test_the_smallest_region_holds_a_pixel() -> None:
    weights = Attention(Region(0.996, 0.996, 1.0, 1.0), 0).weights((160, 112))
    assert (weights == 8.0).sum() == 1


def test_objects_in_the_region_matter_more(
    street: NDArray[np.uint8], observe: Callable[..., Observation], walk: Callable[..., Track]
) -> None:
    tracks = [walk(lambda _, x=x: (x, 40), 0, track_id=number) for number, x in enumerate((20, 120))]
    seen = Attention(_REGION, 0).of(observe(street, street, 0, tracks))
    assert [track.weight for track in seen.tracks] == [1.0, 8.0]
