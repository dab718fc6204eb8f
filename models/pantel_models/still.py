"""The still codec: pictures to `.ptl` files of a given size, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_codec import (
    CELL_PX,
    CHEAP_QUALITIES,
    HEADER_BYTES,
    MAX_SIDE_PX,
    MIN_SIDE_PX,
    Background,
    Block,
    CellUpdate,
    StillHeader,
    StillValues,
    read_still,
    still_information_bits,
    write_still,
)
from pantel_models.artefact import MANIFEST, find_artefact
from pantel_models.codec import SceneCodec, View, load_scene_codec
from pantel_models.contours import contour_map
from pantel_models.errors import BudgetError, ModelError
from pantel_models.ms_ssim import ms_ssim
from pantel_models.scaling import reduced
from pantel_models.still_payloads import Cutting, PayloadCutter, StillPayload
from pantel_models.still_search import Choice, StillSearch

__all__ = ["DecodedStill", "StillCodec", "decode_still", "load_still_codec"]

# At which sizes of a file, in bits per pixel, each scale may be the best for some picture: measured on photographs.
_BITS_PER_PIXEL = ((0.035, math.inf), (0.004, 0.09), (-math.inf, 0.018))
# What a neper of structural similarity is worth beside one of squared error, when scales are compared. At 0.05 bit per
# pixel 0.5 gains 0.004 of MS-SSIM for 0.004 dB, 1 another 0.002 for 0.03 dB.
_STRUCTURE_WEIGHT = 0.5
_QUALITIES_TRIED = 2  # for payloads
_LEAST_PAYLOAD_BYTES = 16
_WEIGHT_POWERS = (1.0, 0.5, 0.25)
_FULL_SHARE = 0.95
_TINY = 1e-9  # equal pictures have no logarithm


@dataclass(frozen=True, slots=True, eq=False)
class DecodedStill:
    """A decoded picture.

    Attributes:
        pixels: (H, W, 3) uint8, RGB; three equal planes when the picture is grey.
        grey: The picture has no colour.
        complete: All of the file was there.
        warning: What is wrong with the file, in one line; None when nothing is.
    """

    pixels: NDArray[np.uint8]
    grey: bool
    complete: bool
    warning: str | None


class StillCodec:
    """Encodes and decodes still pictures with one artefact."""

    def __init__(self, codec: SceneCodec) -> None:
        self.codec = codec

    def encode(
        self,
        pixels: NDArray[np.uint8],
        budget_bytes: int,
        *,
        importance: NDArray[np.float32] | None = None,
        contours: NDArray[np.uint8] | None = None,
    ) -> bytes:
        """Return a complete `.ptl` file of at most `budget_bytes`, as close below it as pays.

        Args:
            pixels: (H, W, 3) uint8 RGB or (H, W) uint8 grey, sides of 32 to 1024 pixels.
            budget_bytes: Size of the file, header included.
            importance: (rows, columns) float32, weight of each cell's distortion; 1 by default.
            contours: (H, W) uint8, 0 or 1; by default Canny contours of the whole picture. If it is coded at a
                smaller scale, it has those of that.

        Raises:
            ModelError: The picture's size is out of range.
            BudgetError: Not even the coarsest picture fits.
        """
        _check_size(pixels)
        height, width = pixels.shape[:2]
        grey = pixels.ndim == 2
        if grey:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        header = StillHeader(width, height, grey, self.codec.artefact.tag)
        bits_per_pixel = 8.0 * budget_bytes / (width * height)
        fitting: list[bytes] = []
        smallest = math.inf
        # Of a region that matters most, most of the bits tell: fine scales may be the best for it.
        told_share = 1.0 if importance is None else float(importance.mean() / importance.max())
        for scale, (least, most) in enumerate(_BITS_PER_PIXEL):
            if bits_per_pixel < least * told_share or (bits_per_pixel >= most and fitting):
                continue
            small = reduced(pixels, scale)
            lines = contour_map(small) if contours is None or scale else contours
            files = self._files(header, scale, self.codec.analyse(small, lines), importance, budget_bytes)
            smallest = min(smallest, *map(len, files))
            fitting += [data for data in files if len(data) <= budget_bytes]
        if not fitting:
            raise BudgetError(f"{budget_bytes} bytes are too few for this picture; {smallest} are enough")
        if len(fitting) == 1:
            return fitting[0]
        weight = None if importance is None else _per_pixel(importance, height, width)
        return min(fitting, key=lambda data: _unlikeness(self._faithful.decode(data).pixels, pixels, weight))

    def encode_payloads(
        self, pixels: NDArray[np.uint8], budget_bytes: int, payload_bytes: int
    ) -> tuple[StillPayload, ...]:
        """Return a picture in scene payloads of which each can be decoded without the others.

        Args:
            pixels: (H, W, 3) uint8 RGB or (H, W) uint8 grey, sides of 32 to 1024 pixels.
            budget_bytes: Of all payloads together.
            payload_bytes: Of each at most; at least 16.

        Raises:
            ModelError: The picture's size is out of range, or the payloads are too small.
            BudgetError: Not even the coarsest picture fits.
        """
        _check_size(pixels)
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        if payload_bytes < _LEAST_PAYLOAD_BYTES:
            raise ModelError(f"payloads of {payload_bytes} bytes are too small; {_LEAST_PAYLOAD_BYTES} are enough")
        height, width = pixels.shape[:2]
        bits_per_pixel = 8.0 * budget_bytes / (width * height)
        found: list[tuple[float, Cutting]] = []
        for scale, (least, most) in enumerate(_BITS_PER_PIXEL):
            if bits_per_pixel < least or (bits_per_pixel >= most and found):
                continue
            small = reduced(pixels, scale)
            latents = self.codec.analyse(small, contour_map(small))
            whole = StillSearch(self.codec.entropy, self.codec.quantizer, latents, None).fill(8.0 * budget_bytes)
            if whole is None:
                continue
            cutter = PayloadCutter(self.codec, latents, scale, (width, height), payload_bytes)
            for quality in sorted(CHEAP_QUALITIES, key=lambda quality: abs(quality - whole.quality))[:_QUALITIES_TRIED]:
                cutting = cutter.fill(quality, budget_bytes)
                if cutting is not None:
                    shown = self._faithful.show_payloads(cutting.payloads, width, height)
                    found.append((_unlikeness(shown, pixels, None), cutting))
        if not found:
            raise BudgetError(f"{budget_bytes} bytes are too few for this picture in payloads; allow more")
        return min(found, key=lambda pair: pair[0])[1].payloads

    def show_payloads(self, payloads: Sequence[StillPayload], width_px: int, height_px: int) -> NDArray[np.uint8]:
        """Return (height, width, 3) uint8 RGB: what those of a picture's payloads show that are there."""
        background = Background(width_px, height_px, self.codec.entropy.groups)
        for payload in payloads:
            background.apply(payload.update, 0)
        return self.codec.synthesise(background)

    @cached_property
    def _faithful(self) -> StillCodec:
        """What compares pictures: there is one bitstream, whatever the view."""
        return self if self.codec.view is View.FAITHFUL else StillCodec(load_scene_codec(self.codec.artefact))

    def _files(
        self,
        header: StillHeader,
        scale: int,
        latents: NDArray[np.float32],
        importance: NDArray[np.float32] | None,
        budget_bytes: int,
    ) -> list[bytes]:
        """Return files of a picture at a scale that may be the best.

        A small region cannot use all bytes: its finest quality leaves the rest nearly nothing. So weights are tried
        that are nearer and nearer to one another, until the file is full, and equal ones.
        """
        if importance is not None and scale:
            importance = _mean_of_cells(importance, 1 << scale)

        def fill(weight: NDArray[np.float32] | None) -> bytes:
            search = StillSearch(self.codec.entropy, self.codec.quantizer, latents, weight)
            return self._fill(header, scale, search, budget_bytes)

        files: list[bytes] = []
        if importance is not None:
            relative = importance / importance.max()
            for power in _WEIGHT_POWERS:
                files.append(fill(relative**power))
                if len(files[-1]) >= _FULL_SHARE * budget_bytes:
                    break
        return [*files, fill(None)]

    def _fill(self, header: StillHeader, scale: int, search: StillSearch, budget_bytes: int) -> bytes:
        """Return a file at a scale; larger than the budget only if nothing smaller is possible."""
        limit_bits = 8.0 * (budget_bytes - HEADER_BYTES)
        while choice := search.fill(limit_bits):
            data = self._write(header, scale, choice)
            if len(data) <= budget_bytes:
                return data
            limit_bits = choice.size_bits - 1.0  # the estimate knows nothing of the range coder's rounding
        return self._write(header, scale, search.smallest())

    def _write(self, header: StillHeader, scale: int, choice: Choice) -> bytes:
        still = StillValues(header, scale, choice.quality, choice.levels, choice.values)
        return write_still(still, self.codec.entropy)

    def information_bits(self, data: bytes) -> float:
        """Return the size of a file by the probabilities of its context model alone [bit].

        Raises:
            CodecError: The file is damaged, or is no `.ptl` file.
        """
        return still_information_bits(read_still(data, self.codec.entropy), self.codec.entropy)

    def decode(self, data: bytes) -> DecodedStill:
        """Return the picture of a file that this artefact made.

        Raises:
            CodecError: The file is damaged, or is no `.ptl` file.
        """
        still = read_still(data, self.codec.entropy)
        header = still.header
        background = Background(header.width_px, header.height_px, self.codec.entropy.groups)
        if still.levels:
            rows, columns = header.cells(still.scale)
            block = Block(0, 0, columns, rows)
            background.apply(CellUpdate(block, still.quality, still.levels, still.values, still.scale), 0)
        pixels = self.codec.synthesise(background)
        if header.grey:
            luma = np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
            pixels = np.repeat(luma[..., None], 3, axis=2)
        warning = None
        if not still.complete:
            warning = f"the file of {len(data)} bytes is cut off or damaged; showing what can be read of it"
        return DecodedStill(pixels, header.grey, still.complete, warning)


def _check_size(pixels: NDArray[np.uint8]) -> None:
    height, width = pixels.shape[:2]
    if not (min(height, width) >= MIN_SIDE_PX and max(height, width) <= MAX_SIDE_PX):
        raise ModelError(
            f"the picture has {width}x{height} pixels; sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} can be encoded"
        )


def _mean_of_cells(importance: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the mean weight of each square of cells; what lies outside the picture is as its border."""
    rows, columns = (-(-length // side) for length in importance.shape)
    padding = [(0, -length % side) for length in importance.shape]
    squares = np.pad(importance, padding, mode="edge").reshape(rows, side, columns, side)
    return np.asarray(squares.mean(axis=(1, 3)), np.float32)


def _per_pixel(importance: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return (height, width, 1): the weights of cells as weights of their pixels."""
    return importance.repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1)[:height, :width, None]


def _unlikeness(decoded: NDArray[np.uint8], source: NDArray[np.uint8], weight: NDArray[np.float32] | None) -> float:
    """Return how far a decoded picture is from its source [neper]; less is better.

    The logarithm of the squared error, and of what lacks in structural similarity; of weighted cells only the former.
    """
    error = (decoded.astype(np.float32) - source) ** 2
    if weight is not None:
        error *= weight
    unlike = math.log(float(error.sum()) + _TINY)
    if weight is None:
        unlike += _STRUCTURE_WEIGHT * math.log(1.0 - ms_ssim(source, decoded) + _TINY)
    return unlike


def load_still_codec(name: str | None = None, *, manifest: Path = MANIFEST) -> StillCodec:
    """Return the still codec of an artefact, the default one if no name is given.

    Raises:
        ManifestError: There is no such artefact, or it does not match its hashes.
    """
    return StillCodec(load_scene_codec(find_artefact(name=name, manifest=manifest)))


def decode_still(data: bytes, *, view: View = View.FAITHFUL, manifest: Path = MANIFEST) -> DecodedStill:
    """Decode a file with the artefact that its header names.

    Args:
        data: The file.
        view: Which generator paints it.
        manifest: Where the artefacts are listed.

    Raises:
        CodecError: The file is damaged, or is no `.ptl` file.
        ManifestError: Its artefact is not installed.
    """
    tag = StillHeader.from_bytes(data).model_tag
    return StillCodec(load_scene_codec(find_artefact(tag=tag, manifest=manifest), view=view)).decode(data)
