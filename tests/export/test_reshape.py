from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.errors import RunError
from pantel_export.networks import SceneNetworks
from pantel_export.reshape import live_channels, reshape_weights
from pantel_export.settings import NetworkSettings, TrainSettings

_OLD = NetworkSettings(
    groups=(2, 4), anchors=2, encoder_width=(8, 8, 8), generator_width=(12, 12, 8, 4), context_width=(8, 8)
)
_KEPT = [[0, 1], [0, 3]]
_NEW = NetworkSettings(
    groups=(2, 2),
    anchors=2,
    encoder_width=(8, 8, 8),
    generator_width=(12, 12, 8, 4),
    generator_blocks=(3, 2, 1),
    context_width=(12, 10),
    context_reach=(2, 1),
)


@pytest.fixture
def old() -> SceneNetworks:
    """Networks with random weights whose generator and context heed no dropped channel."""
    torch.manual_seed(4)
    networks = SceneNetworks(_OLD)
    networks.eval()
    for name, parameter in networks.named_parameters():
        if name.startswith("context."):
            parameter.data = 0.3 * torch.randn(parameter.shape)
    dropped = torch.tensor([3, 4])
    with torch.no_grad():
        networks.generator.trunk[0].weight[:, dropped] = 0
        networks.generator.luma.weight[:, dropped] = 0
        networks.generator.chroma.weight[:, dropped] = 0
        second = networks.context.nets[1].spatial[0].weight  # values, magnitudes, planes
        second[:, dropped] = second[:, dropped + 6] = 0
    return networks


def test_networks_of_another_shape_compute_the_same(old: SceneNetworks) -> None:
    old.requires_grad_(False)
    new = reshape_weights(old.state_dict(), _OLD.groups, _KEPT, _NEW).eval()
    channels = [0, 1, 2, 5]
    x = torch.rand(2, 4, 64, 80)
    y, other = old.encoder(x), new.encoder(x)
    assert torch.allclose(y[:, channels], other, atol=1e-5)

    quality = torch.tensor([0.2, 0.9])
    coded, recoded = (
        net.context(latents * net.gain(quality), torch.ones(2, 2, 4, 5), quality)
        for net, latents in ((old, y), (new, other))
    )
    assert torch.allclose(coded.mean[:, channels], recoded.mean, atol=1e-4)
    assert torch.allclose(coded.log_scale[:, channels], recoded.log_scale, atol=1e-4)

    side = torch.ones(2, 3, 4, 5)
    assert torch.allclose(old.generator(y, side), new.generator(other, side), atol=1e-5)


def test_contexts_of_other_slices_begin_anew(old: SceneNetworks) -> None:
    shape = {"context_slices": (1, 1, 4), "context_width": (8, 8, 8), "context_reach": (2, 1, 1)}
    sliced = NetworkSettings.model_validate(_OLD.model_dump() | shape)
    new = reshape_weights(old.state_dict(), _OLD.groups, [[0, 1], [0, 1, 2, 3]], sliced)
    before, after = old.state_dict(), new.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before if not key.startswith("context."))
    assert all(not net.head.weight.any() for net in new.context.nets)  # nothing is predicted yet


def test_channels_that_say_nothing_are_not_kept() -> None:
    sensitivity = np.array([5, 4, 3, 0.001, 0.002, 3], np.float32)
    assert live_channels(sensitivity, (2, 4)) == [[0, 1], [0, 3]]


def test_what_does_not_fit_is_named(old: SceneNetworks) -> None:
    with pytest.raises(RunError, match=r"\[2, 2\] channels are kept"):
        reshape_weights(old.state_dict(), _OLD.groups, _KEPT, _OLD)
    narrower = _NEW.model_copy(update={"generator_width": (12, 8, 8, 4)})
    with pytest.raises(RunError, match=r"detail\.0\.weight has the shape"):
        reshape_weights(old.state_dict(), _OLD.groups, _KEPT, narrower)


def test_old_settings_still_read() -> None:
    assert TrainSettings.model_validate({"steps": 3}).enlarged_crops == 0
    network = NetworkSettings.model_validate({"groups": [2, 3], "context_width": 16})
    assert (network.context_slices, network.context_width, network.context_reach) == ((2, 3), (16, 16), (1, 1))


@pytest.mark.parametrize(
    "wrong", [{"context_slices": (2, 2)}, {"context_width": (8, 8, 8)}, {"context_slices": (1, 1, 3)}]
)
def test_contexts_that_do_not_fit_the_groups_are_refused(wrong: dict[str, tuple[int, ...]]) -> None:
    fitting = {"groups": (2, 3), "context_width": (8, 8)}
    with pytest.raises(ValidationError):
        NetworkSettings.model_validate(fitting | wrong)
