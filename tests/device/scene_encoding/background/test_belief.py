"""What the sender believes the receiver shows, once it has sent this and that."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import VALUE_ONE, Background, Base, Block, CellElement, CellUpdate
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.belief import Belief
from pantel_models import SceneCodec, find_artefact, load_scene_codec

_LOSS = 0.1
_S = 1_000_000_000
_ONE_CELL = Block(1, 0, 1, 1)


@pytest.fixture(scope="module")
def codec() -> SceneCodec:
    return load_scene_codec(find_artefact())


@pytest.fixture
def told(codec: SceneCodec) -> Background:
    return Background(48, 32, codec.entropy.groups)


@pytest.fixture
def belief(codec: SceneCodec, told: Background) -> Belief:
    return Belief(codec, told, 0, Audience(_LOSS, 1e9))  # nobody joins late


def _told(codec: SceneCodec, value: int, *, quality: int = 5, base: Base | None = None) -> CellElement:
    values = np.zeros((codec.entropy.channels, 1, 1), np.int64)
    values[0] = value * VALUE_ONE
    return CellElement(CellUpdate(_ONE_CELL, quality, 4, values), base=base)


def _latents(codec: SceneCodec, element: CellElement) -> NDArray[np.float32]:
    latents = np.zeros((codec.entropy.channels, 2, 3), np.float32)
    latents[:, *_ONE_CELL.window] = codec.quantizer.dequantize(element.update.values, element.update.quality)
    return latents


def test_what_was_never_told_is_shown_as_nothing(codec: SceneCodec, belief: Belief) -> None:
    latents = _latents(codec, _told(codec, 3))
    expected = codec.quantizer.sensitivity[0] * latents[0] ** 2
    np.testing.assert_allclose(belief.expected_error(latents, 0), expected, rtol=1e-5)
    assert not belief.refinable(5, _S).any()


def test_what_was_told_once_lacks_as_often_as_packets_are_lost(codec: SceneCodec, belief: Belief) -> None:
    element = _told(codec, 3)
    latents = _latents(codec, element)
    before = belief.expected_error(latents, 0)[0, 1]
    belief.sent(element, 1 * _S, 1 - _LOSS)
    assert belief.expected_error(latents, 1 * _S)[0, 1] == pytest.approx(_LOSS * before, rel=1e-4)
    belief.sent(element, 2 * _S, 1 - _LOSS)
    assert belief.expected_error(latents, 2 * _S)[0, 1] == pytest.approx(_LOSS**2 * before, rel=1e-4)


def test_a_refinement_is_of_use_to_who_holds_its_base(codec: SceneCodec, told: Background, belief: Belief) -> None:
    belief.sent(_told(codec, 2), 1 * _S, 1 - _LOSS)
    base = told.scales[0].base(_ONE_CELL)
    assert base is not None
    belief.sent(_told(codec, 30, quality=12, base=base), 2 * _S, 1 - _LOSS)
    share = belief.newest_share(3 * _S)[0, 1]
    assert share == pytest.approx((1 - _LOSS) ** 2, rel=1e-4)
    assert belief.refinable(12, 3 * _S)[0, 1]
    assert not belief.refinable(5, 3 * _S).any()
    anew = _told(codec, 30, quality=12)
    belief.sent(anew, 4 * _S, 1 - _LOSS)  # the same again, for itself: of use to all
    assert belief.newest_share(5 * _S)[0, 1] == pytest.approx(1 - _LOSS * (1 - share), rel=1e-4)


def test_of_lost_versions_the_last_that_arrived_is_shown(codec: SceneCodec, belief: Belief) -> None:
    first, second = _told(codec, 2), _told(codec, 9)
    belief.sent(first, 1 * _S, 1 - _LOSS)
    belief.sent(second, 2 * _S, 1 - _LOSS)
    shown = {"first": (1 - _LOSS) * _LOSS, "second": 1 - _LOSS, "nothing": _LOSS**2}
    errors = belief.expected_error(_latents(codec, first), 2 * _S)[0, 1]
    step = float(codec.quantizer.steps[5][0])
    weight = float(codec.quantizer.sensitivity[0]) * step**2
    assert errors == pytest.approx(weight * (shown["second"] * 7**2 + shown["nothing"] * 2**2), rel=1e-4)


def test_nothing_refines_what_goes_on_the_air_with_it(codec: SceneCodec, belief: Belief) -> None:
    belief.sent(_told(codec, 2), 1 * _S, 1 - _LOSS)
    assert not belief.refinable(5, 1 * _S).any()
    assert belief.refinable(5, 1 * _S + 1).sum() == 1


def test_coarser_cells_are_a_version_of_finer_ones(codec: SceneCodec, belief: Belief) -> None:
    first, second = _told(codec, 2), _told(codec, 9)
    belief.sent(first, 1 * _S, 1 - _LOSS)
    cells = np.zeros((2, 3), np.bool_)
    cells[0, 1] = True
    belief.covered(cells, _latents(codec, second), (1 - _LOSS) * 0.5, 2 * _S)
    shown = {"first": (1 - _LOSS) * (1 - 0.5 * (1 - _LOSS)), "second": 0.5 * (1 - _LOSS)}
    shown["nothing"] = 1 - sum(shown.values())
    error = belief.expected_error(_latents(codec, first), 2 * _S)[0, 1]
    weight = float(codec.quantizer.sensitivity[0] * codec.quantizer.steps[5][0] ** 2)
    assert error == pytest.approx(weight * (shown["second"] * 7**2 + shown["nothing"] * 2**2), rel=1e-4)
    assert belief.newest_error(_latents(codec, second))[0, 1] == pytest.approx(0, abs=1e-6)


def test_who_may_have_joined_late_holds_less(codec: SceneCodec, told: Background) -> None:
    belief = Belief(codec, told, 0, Audience(_LOSS, 10.0))
    belief.sent(_told(codec, 3), 1 * _S, 1 - _LOSS)
    shares = [belief.newest_share(seconds * _S)[0, 1] for seconds in (2, 20, 200)]
    assert shares[0] > shares[1] > shares[2]
    latents = _latents(codec, _told(codec, 3))
    errors = [belief.expected_error(latents, seconds * _S)[0, 1] for seconds in (2, 20, 200)]
    assert errors[0] < errors[1] < errors[2]
