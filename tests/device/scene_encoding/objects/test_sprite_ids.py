"""Ids of objects in a stream."""

from __future__ import annotations

from pantel_codec import MAX_SPRITES
from pantel_device.scene_encoding.objects.sprite_ids import SpriteIds


def test_an_object_keeps_its_id_and_a_new_one_takes_that_free_longest() -> None:
    ids = SpriteIds()
    assert [ids.take(track_id) for track_id in (7, 9, 7, 4)] == [0, 1, 0, 2]
    ids.keep({7}, {4})
    assert ids.take(9) == 3
    for track_id in range(100, 100 + MAX_SPRITES - 4):
        ids.take(track_id)
    assert ids.take(11) == 1
    assert ids.take(12) is None
    ids.keep([])
    assert ids.take(12) == 2
