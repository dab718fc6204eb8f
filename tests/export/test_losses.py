"""Losses see what they are for."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.losses import border_loss


def test_stairs_between_cells_are_seen_and_ramps_hardly() -> None:
    flat = torch.full((2, 3, 64, 48), 0.5)
    stairs = flat.clone()
    stairs[0, ..., 16:] += 0.1
    stairs[1, :, 32:] += 0.1
    down, across = border_loss(flat, stairs, 16).tolist()
    assert down == pytest.approx(0.1**2 / 2 / 2)  # one of two borders, one of two directions
    assert across == pytest.approx(0.1**2 / 3 / 2)
    ramp = flat + torch.linspace(0, 0.1, 48)
    assert border_loss(flat, ramp, 16).max() < 0.02 * down


def test_stairs_of_the_source_are_no_error() -> None:
    stairs = torch.full((1, 3, 32, 32), 0.5)
    stairs[..., 16:] += 0.2
    assert border_loss(stairs, stairs + 0.05, 16).tolist() == pytest.approx([0.0], abs=1e-12)


def test_stairs_inside_of_cells_are_not_its_business() -> None:
    flat = torch.full((1, 3, 32, 32), 0.5)
    inside = flat.clone()
    inside[..., 24:] += 0.1
    assert border_loss(flat, inside, 16).tolist() == [0.0]
