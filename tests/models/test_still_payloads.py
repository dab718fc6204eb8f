"""Stills cut into payloads that need nothing of each other."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Background, CellElement, SceneSyntax
from pantel_models import BudgetError, ModelError, StillCodec
from pantel_models.quantizer import Quantizer

Picture = NDArray[np.uint8]
Photograph = Callable[[int, int], Picture]


def psnr_db(picture: Picture, original: Picture) -> float:
    return float(cv2.PSNR(picture, original))


@pytest.mark.parametrize(("size_px", "budget"), [((256, 256), 420), ((250, 130), 150), ((96, 64), 60)])
def test_payloads_together_are_the_picture(
    codec: StillCodec, photograph: Photograph, size_px: tuple[int, int], budget: int
) -> None:
    original = photograph(*size_px)
    payloads = codec.encode_payloads(original, budget, 32)
    assert 0.85 * budget < sum(len(payload.data) for payload in payloads) <= budget
    assert max(len(payload.data) for payload in payloads) <= 32
    syntax = SceneSyntax(codec.codec.entropy, codec.codec.thumbnails.model, *size_px)
    background = Background(*size_px, codec.codec.entropy.groups)
    for payload in payloads:
        (element,) = syntax.read(payload.data)
        assert isinstance(element, CellElement)
        background.apply(element.update, 0)
    shown = codec.codec.synthesise(background)
    np.testing.assert_array_equal(shown, codec.show_payloads(payloads, *size_px))
    assert not any((surface.level == 0).any() for surface in background.scales if surface.level.any())
    whole = codec.decode(codec.encode(original, round(budget / 1.5))).pixels
    assert psnr_db(shown, original) > psnr_db(whole, original)


def test_any_of_them_show_their_part(codec: StillCodec, photograph: Photograph) -> None:
    original = photograph(256, 192)
    payloads = codec.encode_payloads(original, 400, 32)
    some = [payload for i, payload in enumerate(payloads) if i % 3]
    shown, lost = (codec.show_payloads(each, 256, 192) for each in (payloads, some))
    assert 10 < psnr_db(lost, original) < psnr_db(shown, original)
    for payload in some:
        block, scale = payload.update.block, payload.update.scale
        rows, columns = (
            slice(16 * start + 8 << scale, 16 * (start + count) - 8 << scale)
            for start, count in ((block.row, block.rows), (block.column, block.columns))
        )
        one, other = shown[rows, columns].astype(int), lost[rows, columns].astype(int)
        if one.size:  # away from what is missing nothing changes much
            assert np.abs(one - other).mean() < 6


def test_grey_pictures_are_cut_like_others(codec: StillCodec, photograph: Photograph) -> None:
    grey = np.ascontiguousarray(photograph(96, 64)[..., 1])
    shown = codec.show_payloads(codec.encode_payloads(grey, 120, 32), 96, 64)
    assert psnr_db(np.ascontiguousarray(shown[..., 1]), grey) > 18


def test_a_busy_cell_fits_into_a_small_payload(codec: StillCodec) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    payloads = codec.encode_payloads(noise, 900, 16)
    assert max(len(payload.data) for payload in payloads) <= 16
    assert codec.show_payloads(payloads, 64, 64).shape == (64, 64, 3)


def test_what_cannot_be_cut_is_refused(codec: StillCodec, photograph: Photograph) -> None:
    with pytest.raises(ModelError, match="payloads of 15 bytes are too small"):
        codec.encode_payloads(photograph(64, 64), 400, 15)
    with pytest.raises(BudgetError, match="3 bytes are too few"):
        codec.encode_payloads(photograph(256, 256), 3, 32)
    with pytest.raises(ModelError, match="sides of 32 to 1024"):
        codec.encode_payloads(photograph(16, 64), 400, 32)


def test_bits_of_cells_add_up(codec: StillCodec, photograph: Photograph) -> None:
    pixels = photograph(96, 64)
    latents = codec.codec.analyse(pixels, np.zeros((64, 96), np.uint8))
    quantizer: Quantizer = codec.codec.quantizer
    quantized = quantizer.quantize(latents, codec.codec.entropy, 14)
    assert quantized.cell_bits.shape == (4, 6)
    assert quantized.cell_bits.sum() == pytest.approx(quantized.bits.sum())
    assert (quantized.cell_bits > 0).all()
