"""The networks of thumbnails: what they take no notice of, where they begin, and what bits cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import Tensor
from torch.nn import functional

from pantel_export.thumbnails.augmentation import plain
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.networks import (
    COARSE_PX,
    GAIN_OCTAVES,
    ThumbnailGenerator,
    ThumbnailNetworks,
    laplacian_bits,
    widened,
)
from pantel_export.thumbnails.settings import ThumbnailNetworkSettings, ThumbnailSettings
from pantel_models.thumbnails import RASTER_PX, Kind, condition

TALL = 0
OUTSIDE, HIDDEN = (slice(None), slice(None), slice(0, 16)), (slice(None), slice(None), slice(40, None))


@pytest.fixture
def networks(thumbnail_settings: ThumbnailSettings) -> ThumbnailNetworks:
    torch.manual_seed(3)
    return ThumbnailNetworks(thumbnail_settings.network)


@pytest.fixture(scope="module")
def planes(crops: list[ObjectCrop]) -> tuple[Tensor, Tensor]:
    """Return pixels (N, 3, RASTER_PX, RASTER_PX) and masks (N, 1, RASTER_PX, RASTER_PX) of all objects."""
    specimens = [plain(crop) for crop in crops]
    pixels = torch.from_numpy(np.stack([each.pixels.transpose(2, 0, 1) for each in specimens]))
    return pixels, torch.from_numpy(np.stack([each.mask[None] for each in specimens]))


def conditions(count: int, kind: Kind = Kind.PERSON) -> Tensor:
    return torch.from_numpy(condition(TALL, kind)).expand(count, -1)


def coarse(pixels: Tensor, mask: Tensor) -> Tensor:
    """Return colours times mask, and the mask, (N, 4, COARSE_PX, COARSE_PX)."""
    return functional.avg_pool2d(torch.cat([pixels * mask, mask], 1), RASTER_PX // COARSE_PX)


def error(networks: ThumbnailNetworks, planes: tuple[Tensor, Tensor]) -> float:
    """Return the mean squared error of objects that went through latents without quantization."""
    pixels, mask = planes
    told = conditions(len(pixels))
    with torch.no_grad():
        latents = networks.encoder(pixels, mask, torch.ones_like(mask), told)
        colour, alpha = networks.generator(latents, told, torch.ones(len(pixels), 2))
    return float(((coarse(colour, alpha) - coarse(pixels, mask)) ** 2).mean())


def started(settings: ThumbnailNetworkSettings, planes: tuple[Tensor, Tensor]) -> ThumbnailNetworks:
    torch.manual_seed(3)
    networks = ThumbnailNetworks(settings)
    networks.start_from_principal_components(*planes)
    return networks


def test_the_encoder_sees_neither_what_is_outside_nor_what_is_hidden(
    networks: ThumbnailNetworks, planes: tuple[Tensor, Tensor]
) -> None:
    with torch.no_grad():
        pixels, mask = planes[0][:3].clone(), planes[1][:3].clone()
        mask[OUTSIDE] = 0
        known = torch.ones_like(mask)
        known[HIDDEN] = 0
        before = networks.encoder(pixels, mask, known, conditions(3))
        assert before.shape == (3, 8)
        pixels[OUTSIDE] = torch.rand(pixels[OUTSIDE].shape)
        pixels[HIDDEN] = torch.rand(pixels[HIDDEN].shape)
        mask[HIDDEN] = 1 - mask[HIDDEN]
        assert torch.allclose(networks.encoder(pixels, mask, known, conditions(3)), before, atol=1e-5)
        for other in (
            networks.encoder(1 - pixels, mask, known, conditions(3)),
            networks.encoder(pixels, mask.roll(4, 3), known, conditions(3)),
            networks.encoder(pixels, mask * known, torch.ones_like(known), conditions(3)),  # ends, instead of is hidden
            networks.encoder(pixels, mask, known, conditions(3, Kind.VEHICLE)),
        ):
            assert (other - before).abs().min() > 1e-5


def test_an_object_of_which_nothing_is_known_has_latents(networks: ThumbnailNetworks) -> None:
    with torch.no_grad():
        nothing = torch.zeros(1, 1, RASTER_PX, RASTER_PX)
        latents = networks.encoder(torch.rand(1, 3, RASTER_PX, RASTER_PX), nothing, nothing, conditions(1))
        assert torch.isfinite(latents).all()


def test_the_generator_makes_colours_and_a_soft_mask(networks: ThumbnailNetworks) -> None:
    with torch.no_grad():
        latents, side = torch.randn(5, 8), torch.tensor([[0.5, 1.0]]).expand(5, 2)
        colour, alpha = networks.generator(latents, conditions(5), side)
        assert colour.shape == (5, 3, RASTER_PX, RASTER_PX)
        assert alpha.shape == (5, 1, RASTER_PX, RASTER_PX)
        assert 0 <= alpha.min() <= alpha.max() <= 1
        for others in (
            (latents + 1, conditions(5), side),
            (latents, conditions(5, Kind.VEHICLE), side),
            (latents, conditions(5), side * 0),
        ):
            assert (networks.generator(*others)[0] - colour).abs().max() > 1e-4


def test_the_start_shows_objects_better_than_their_mean(planes: tuple[Tensor, Tensor]) -> None:
    """The more latents there are, the better: they are the principal components."""
    wanted = coarse(*planes)
    mean = float(((wanted - wanted.mean(0)) ** 2).mean())
    errors = [
        error(started(ThumbnailNetworkSettings(latents=latents, core=2), planes), planes) for latents in (2, 6, 12)
    ]
    fresh = error(ThumbnailNetworks(ThumbnailNetworkSettings(latents=12, core=2)), planes)
    assert mean > errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.4 * mean
    assert fresh > 2 * mean


def test_the_start_knows_how_wide_latents_are(planes: tuple[Tensor, Tensor]) -> None:
    with torch.no_grad():
        networks = started(ThumbnailNetworkSettings(latents=6, core=2), planes)
        pixels, mask = planes
        latents = networks.encoder(pixels, mask, torch.ones_like(mask), conditions(len(mask)))
        assert networks.log_scale.shape == (3, 6)
        np.testing.assert_allclose(networks.log_scale.exp(), latents.abs().mean(0).expand(3, -1), rtol=0.1, atol=0.1)
        assert networks.log_scale[0, 0] > networks.log_scale[0, -1]


def test_gains_rise_by_half_an_octave_with_each_quality(networks: ThumbnailNetworks) -> None:
    gain = networks.gain(torch.arange(8.0)).detach()
    assert gain.shape == (8, 8)
    np.testing.assert_allclose(gain[1:] / gain[:-1], math.sqrt(2), rtol=1e-5)
    np.testing.assert_allclose(gain[0], networks.log_gain.detach().exp())
    assert GAIN_OCTAVES == 0.5


def test_with_a_latent_for_each_object_the_start_brings_all_of_them_back(planes: tuple[Tensor, Tensor]) -> None:
    """Coarsely, through the linear paths alone."""
    pixels, mask = planes
    networks = started(ThumbnailNetworkSettings(latents=len(mask), core=2), planes)
    mean = (pixels * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True)
    filled = torch.cat([mask * pixels + (1 - mask) * mean, mask], 1)
    coarsely = functional.avg_pool2d(filled, RASTER_PX // COARSE_PX)
    wanted = functional.interpolate(coarsely, size=(RASTER_PX, RASTER_PX), mode="bilinear")
    with torch.no_grad():
        networks.encoder.head.weight.zero_()
        networks.generator.last.weight.zero_()
        told = conditions(len(mask))
        latents = networks.encoder(pixels, mask, torch.ones_like(mask), told)
        colour, alpha = networks.generator(latents, told, torch.ones(len(mask), 2))
    assert (colour - wanted[:, :3]).abs().max() < 0.01
    assert (alpha - torch.sigmoid(4 * wanted[:, 3:] - 2)).abs().max() < 0.01


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_bits_of_all_integers_are_those_of_a_distribution(scale: float) -> None:
    values = torch.arange(-40.0, 41.0)
    bits = laplacian_bits(values, torch.full_like(values, math.log(scale)))
    share = (-bits * math.log(2)).exp()
    likely = abs(values) < 12 * scale  # beyond, bits are clipped
    assert share[likely].sum() == pytest.approx(1, abs=1e-3)
    assert torch.allclose(bits, bits.flip(0))
    assert bits[40] == bits.min()
    exact = 1 - math.exp(-0.5 / scale), 0.5 * (math.exp(-0.5 / scale) - math.exp(-1.5 / scale))
    assert share[40:42].tolist() == pytest.approx(exact, rel=1e-4)


def slopes(values: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Return how bits rise with the values, and with the logarithms of their scales."""
    x, log_scale = torch.tensor(values, requires_grad=True), torch.zeros(len(values), requires_grad=True)
    laplacian_bits(x, log_scale).sum().backward()
    return x.grad, log_scale.grad


def test_bits_have_slopes_that_training_can_follow() -> None:
    by_value, by_scale = slopes([0.0, 0.3, -0.3, 3.0, -3.0])
    assert torch.isfinite(by_value).all()
    assert by_value[0] == 0
    assert by_value[1] == -by_value[2] > 0
    assert by_value[3] == pytest.approx(1 / math.log(2), rel=1e-4)
    assert by_scale[0] > 0 > by_scale[3]
    assert by_scale[3] == by_scale[4]


def test_more_core_than_latents_is_refused() -> None:
    with pytest.raises(ValueError, match="the core has more latents than there are"):
        ThumbnailNetworkSettings(latents=4, core=5)


def test_a_wider_generator_begins_as_a_narrower_one_and_all_of_it_learns(networks: ThumbnailNetworks) -> None:
    narrow = networks.generator
    shape = ThumbnailNetworkSettings(latents=8, core=5, generator_width=(8, 9, 7, 4))
    wide = widened(narrow, ThumbnailGenerator(shape))
    told = torch.randn(6, 8), conditions(6), torch.rand(6, 2)
    for ours, theirs in zip(wide(*told), narrow(*told), strict=True):
        assert theirs.std() > 0.01
        assert torch.allclose(ours, theirs, atol=1e-5)
    optimizer = torch.optim.Adam(wide.parameters(), lr=1e-3)
    before = {name: value.clone() for name, value in wide.named_parameters()}
    for _ in range(3):
        optimizer.zero_grad()
        colour, alpha = wide(*told)
        ((colour - 0.3).square().mean() + (alpha - 0.3).square().mean()).backward()
        optimizer.step()
    for name, value in wide.named_parameters():
        assert not torch.equal(value, before[name]), name
