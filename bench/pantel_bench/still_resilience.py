"""What is left of our stills when a part of them is missing, and what it costs to be ready for that."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics import ms_ssim, psnr_db
from pantel_bench.pictures import SourcePicture
from pantel_bench.still import budget_bytes
from pantel_codec import CELL_PX, Background, Block, CellUpdate, CodecError, read_still
from pantel_models import BudgetError, StillCodec, region_importance

__all__ = ["PREFIX_SHARES", "Resilience", "mean_resilience", "measure_resilience"]

PREFIX_SHARES = (0.4, 0.6, 0.8, 1.0)
_LOST_SHARE = 0.3  # of the cells
_PAYLOAD_BYTES = 32
_PAYLOAD_ALLOWANCE = 1.15  # bytes that payloads may take, over those of a file
_REGION_SHARE = 1 / 3  # of the width and of the height, in the centre
_INPAINT_RADIUS_PX = 5
_GREY = 128

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Resilience:
    """One picture at one rate; all of the faithful view.

    Attributes:
        image: Name of the picture.
        target_bpp: Rate [bit/pixel].
        ms_ssim: Of the whole file.
        ms_ssim_lost: Of it without three cells in ten, drawn at random; the generator paints what is missing.
        ms_ssim_inpainted: The same, where the inpainting of Telea (2004) paints what is missing.
        prefix_psnr_db: PSNR of the first `PREFIX_SHARES` of the file [dB].
        payload_psnr_gain_db: PSNR of payloads of 32 bytes that need nothing of each other and together take at most
            15 % more bytes than the file, over that of the file [dB].
        payload_ms_ssim_gain: The same of MS-SSIM.
        region_gain_db: What the PSNR of the centre (a third of the width and of the height) gains when it is the
            region of interest [dB].
        rest_gain_db: What the PSNR of the rest gains then [dB]; less than 0.
    """

    image: str
    target_bpp: float
    ms_ssim: float
    ms_ssim_lost: float
    ms_ssim_inpainted: float
    prefix_psnr_db: tuple[float, ...]
    payload_psnr_gain_db: float
    payload_ms_ssim_gain: float
    region_gain_db: float
    rest_gain_db: float


def measure_resilience(codec: StillCodec, picture: SourcePicture, rates_bpp: Sequence[float]) -> list[Resilience]:
    """Measure a picture at each rate at which it can be encoded.

    Args:
        codec: With the faithful view.
        picture: The picture.
        rates_bpp: Rates [bit/pixel].
    """
    found = []
    for target_bpp in rates_bpp:
        budget = budget_bytes(picture.pixels, target_bpp)
        try:
            data = codec.encode(picture.pixels, budget)
        except BudgetError:
            continue
        source, whole = picture.pixels, codec.decode(data).pixels
        lost, inpainted = _with_lost_cells(codec, data, whole, picture.name)
        in_payloads = _in_payloads(codec, source, round(len(data) * _PAYLOAD_ALLOWANCE))
        region_gain, rest_gain = _region_gains(codec, source, whole, budget)
        similarity = ms_ssim(source, whole)
        found.append(
            Resilience(
                image=picture.name,
                target_bpp=target_bpp,
                ms_ssim=similarity,
                ms_ssim_lost=ms_ssim(source, lost),
                ms_ssim_inpainted=ms_ssim(source, inpainted),
                prefix_psnr_db=tuple(_prefix_psnr_db(codec, source, data, share) for share in PREFIX_SHARES),
                payload_psnr_gain_db=psnr_db(source, in_payloads) - psnr_db(source, whole),
                payload_ms_ssim_gain=ms_ssim(source, in_payloads) - similarity,
                region_gain_db=region_gain,
                rest_gain_db=rest_gain,
            )
        )
    return found


def mean_resilience(found: Sequence[Resilience]) -> list[Resilience]:
    """Return the means over the pictures at each rate, their `image` empty."""
    rates = dict.fromkeys(each.target_bpp for each in found)
    means = []
    for rate in rates:
        group = [asdict(each) for each in found if each.target_bpp == rate]
        numbers = {
            field.name: np.mean([each[field.name] for each in group], axis=0).tolist()
            for field in fields(Resilience)
            if field.name not in {"image", "target_bpp"}
        }
        numbers["prefix_psnr_db"] = tuple(numbers["prefix_psnr_db"])
        means.append(Resilience(image="", target_bpp=rate, **numbers))
    return means


def _prefix_psnr_db(codec: StillCodec, source: Pixels, data: bytes, share: float) -> float:
    """Return the PSNR of the beginning of a file [dB]; of one that is too short to show anything, that of grey."""
    try:
        shown = codec.decode(data[: round(share * len(data))]).pixels
    except CodecError:
        shown = np.full_like(source, _GREY)
    return psnr_db(source, shown)


def _in_payloads(codec: StillCodec, source: Pixels, budget: int) -> Pixels:
    """Return what small payloads show of a picture; grey if not even the coarsest picture fits into them."""
    try:
        cut = codec.encode_payloads(source, budget, _PAYLOAD_BYTES)
    except BudgetError:
        return np.full_like(source, _GREY)
    return codec.show_payloads(cut, source.shape[1], source.shape[0])


def _with_lost_cells(codec: StillCodec, data: bytes, whole: Pixels, name: str) -> tuple[Pixels, Pixels]:
    """Return a file's picture without some of its cells, painted by the generator, and by a textbook."""
    still = read_still(data, codec.codec.entropy)
    rows, columns = still.header.cells(still.scale)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    lost = np.random.default_rng(seed).random((rows, columns)) < _LOST_SHARE
    background = Background(still.header.width_px, still.header.height_px, codec.codec.entropy.groups)
    for row, column in np.argwhere(~lost).tolist():
        values = still.values[:, row : row + 1, column : column + 1]
        update = CellUpdate(Block(column, row, 1, 1), still.quality, still.levels, values, still.scale)
        background.apply(update, 0)
    side = CELL_PX << still.scale
    mask = lost.repeat(side, axis=0).repeat(side, axis=1)[: whole.shape[0], : whole.shape[1]].astype(np.uint8)
    inpainted = np.asarray(cv2.inpaint(whole, mask, _INPAINT_RADIUS_PX, cv2.INPAINT_TELEA), np.uint8)
    return codec.codec.synthesise(background), inpainted


def _region_gains(codec: StillCodec, source: Pixels, whole: Pixels, budget: int) -> tuple[float, float]:
    """Return by how much the centre and the rest get better when the centre is the region of interest [dB]."""
    height, width = source.shape[:2]
    across, down = (round(side * _REGION_SHARE) for side in (width, height))
    left, top = (width - across) // 2, (height - down) // 2
    importance = region_importance(width, height, [(left, top, across, down)])
    favoured = codec.decode(codec.encode(source, budget, importance=importance)).pixels
    inside = np.zeros((height, width), bool)
    inside[top : top + down, left : left + across] = True
    region, rest = (
        psnr_db(source[part][None], favoured[part][None]) - psnr_db(source[part][None], whole[part][None])
        for part in (inside, ~inside)
    )
    return region, rest
