"""The scene: when sprites are dropped, and what shape they have."""

import numpy as np
import pytest

from pantel_codec import Part, Pose, Scene, Sprite, Thumbnail

GROUPS = (2, 3, 4)
SECOND = 1_000_000_000


def sprite(*knot_times_s: int) -> Sprite:
    thumbnail = Thumbnail(Part.CORE, 0, 0, np.zeros(3, np.int32))
    result = Sprite(1, 20, 40, (0, 0, 0, 0), thumbnail, 0)
    for time_s in knot_times_s:
        result.trajectory.add(Pose(time_s * SECOND, 10, 10, 20))
    return result


def test_sprites_that_will_not_be_seen_again_are_dropped() -> None:
    scene = Scene(64, 48, GROUPS)
    scene.sprites = {3: sprite(1), 4: sprite(1, 5), 5: sprite(20)}
    scene.sprites[4].trajectory.end(6 * SECOND)
    scene.forget(6 * SECOND - 1)
    assert list(scene.sprites) == [3, 4, 5]
    scene.forget(6 * SECOND)
    assert list(scene.sprites) == [3, 5]
    scene.forget(9 * SECOND)
    assert list(scene.sprites) == [3, 5]
    scene.forget(9 * SECOND + 1)
    assert list(scene.sprites) == [5]


@pytest.mark.parametrize(("codes", "shape"), [((20, 40), 0), ((40, 40), 1), ((60, 40), 2)])
def test_the_shape_of_a_sprite_is_that_of_its_size_codes(codes: tuple[int, int], shape: int) -> None:
    each = sprite()
    each.width_code, each.height_code = codes
    assert each.shape == shape
