"""What the encoder sees of the background at every scale."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import SCALES, Background, Block, CellElement, CellUpdate
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.background_view import BackgroundView, SeenBackground
from pantel_device.scene_encoding.background.belief import Belief
from pantel_models import SceneCodec, enlarged, reduced

_LONGEST_S = (100.0, 4.0, 1.0)


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """A picture of 72x40 pixels: 5x3 cells, 3x2 and 2x1."""
    return np.random.default_rng(1).integers(0, 256, (40, 72, 3), np.uint8)


def see(
    codec: SceneCodec, pixels: NDArray[np.uint8], *updates: tuple[int, int], changed_ns: int = 0
) -> list[BackgroundView]:
    """Return the views once the upper left cell of some scales was told at some times."""
    told = Background(72, 40, codec.entropy.groups)
    beliefs = [Belief(codec, told, scale, Audience(0.1, 100.0)) for scale in range(SCALES)]
    for scale, time_ns in updates:
        values = np.ones((codec.entropy.channels, 1, 1), np.int64)
        beliefs[scale].sent(CellElement(CellUpdate(Block(0, 0, 1, 1), 5, 4, values, scale)), time_ns, 0.9)
    lasting_s = np.full((3, 5), 10.0)
    lasting_s[0, 0] = 2.0
    seen = SeenBackground.of(pixels, codec)
    since_ns = np.full((3, 5), float(changed_ns))
    return BackgroundView.of_all_scales(seen, beliefs, lasting_s, since_ns, 9, longest_s=_LONGEST_S, caution=4.0)


@pytest.fixture
def views(codec: SceneCodec, pixels: NDArray[np.uint8]) -> list[BackgroundView]:
    return see(codec, pixels)


def test_every_scale_has_a_grid_of_its_own(views: list[BackgroundView]) -> None:
    assert [view.error.shape for view in views] == [(3, 5), (2, 3), (1, 2)]
    for view in views:
        arrays = view.importance, view.area, view.hidden, view.error, view.refinable, view.newest_error
        assert {array.shape for array in arrays} == {view.error.shape}
        assert view.latents.shape[1:] == view.change.shape[1:] == view.error.shape


def test_cells_cover_finer_ones_as_far_as_the_picture_goes(views: list[BackgroundView]) -> None:
    assert views[1].area.tolist() == [[4, 4, 2], [2, 2, 1]]
    assert views[2].area.tolist() == [[12, 3]]


def test_what_scaling_loses_cannot_be_told(views: list[BackgroundView], pixels: NDArray[np.uint8]) -> None:
    assert not views[0].hidden.any()
    for scale in (1, 2):
        lost = (pixels / 255 - enlarged(reduced(pixels, scale), (72, 40)) / 255) ** 2
        assert views[scale].hidden.sum() == pytest.approx(lost.sum(), rel=1e-4)
        side = 16 << scale
        assert views[scale].hidden[0, 0] == pytest.approx(lost[:side, :side].sum(), rel=1e-4)


def test_errors_are_summed_as_they_count(views: list[BackgroundView]) -> None:
    """Weighted by how long each finer cell lasts, at most for as long as the scale is of use."""
    finest = views[0]
    assert finest.importance[0, 0] == 2
    assert finest.importance[2, 4] == 10
    for scale, view in enumerate(views):
        weight = np.minimum(finest.importance, _LONGEST_S[scale])
        assert (view.error * view.importance).sum() == pytest.approx((finest.error * weight).sum())
    assert views[1].importance[0, 0] == pytest.approx((2 + 4 + 4 + 4) / 4)
    assert views[2].importance[0, 1] == 1


def test_coarse_cells_could_only_spoil_what_finer_ones_tell(codec: SceneCodec, pixels: NDArray[np.uint8]) -> None:
    assert not any(view.finer.any() for view in see(codec, pixels))
    views = see(codec, pixels, (1, 5))
    assert not views[0].finer.any()
    assert not views[1].finer.any()  # these may be told anew
    assert views[2].finer.tolist() == [[True, False]]
    views = see(codec, pixels, (0, 5))
    assert views[1].finer.sum() == views[2].finer.sum() == 1
    changed = see(codec, pixels, (0, 5), changed_ns=6)
    assert not any(view.finer.any() for view in changed)  # what they tell of is gone


def test_before_and_after_are_estimated_alike(codec: SceneCodec, pixels: NDArray[np.uint8]) -> None:
    """Else the same cells would be told again and again for what they cannot bring."""
    view = see(codec, pixels, (1, 5))[1]
    own = (codec.quantizer.sensitivity * view.change[:, 0, 0] ** 2).sum() * view.area[0, 0] + view.hidden[0, 0]
    assert view.newest_error[0, 0] == pytest.approx(own, rel=1e-4)
    assert view.newest_error[0, 1] != pytest.approx(own, rel=1e-4)
