"""The still codec with the shipped models: budgets, sizes, prefixes, damage and memory."""

import math
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import HEADER_BYTES, CodecError, StillHeader, read_still
from pantel_models import (
    Artefact,
    BudgetError,
    ModelError,
    StillCodec,
    View,
    decode_still,
    load_scene_codec,
    region_importance,
)

Picture = NDArray[np.uint8]
Photograph = Callable[[int, int], Picture]


def psnr_db(picture: Picture, original: Picture) -> float:
    return float(cv2.PSNR(picture, original))


@pytest.mark.parametrize("size_px", [(32, 32), (33, 47), (160, 120), (255, 257), (32, 1024), (640, 480)])
def test_pictures_of_any_size_come_back(codec: StillCodec, photograph: Photograph, size_px: tuple[int, int]) -> None:
    width, height = size_px
    original = photograph(width, height)
    data = codec.encode(original, 60 + width * height // 200)
    decoded = decode_still(data)
    assert decoded.pixels.shape == (height, width, 3)
    assert decoded.pixels.dtype == np.uint8
    assert decoded.complete
    assert decoded.warning is None
    assert not decoded.grey
    mean = np.broadcast_to(original.mean(axis=(0, 1)).astype(np.uint8), original.shape)
    assert psnr_db(decoded.pixels, original) > psnr_db(np.ascontiguousarray(mean), original) + 1


@pytest.mark.slow
def test_the_largest_picture_comes_back(codec: StillCodec, photograph: Photograph) -> None:
    data = codec.encode(photograph(1024, 1024), 3000)
    assert len(data) > 2900
    assert decode_still(data).pixels.shape == (1024, 1024, 3)


def test_grey_pictures_stay_grey(codec: StillCodec, photograph: Photograph) -> None:
    original = np.ascontiguousarray(photograph(96, 80)[:, :, 1])
    decoded = decode_still(codec.encode(original, 300))
    assert decoded.grey
    assert decoded.pixels.shape == (80, 96, 3)
    assert np.all(decoded.pixels == decoded.pixels[:, :, :1])
    assert psnr_db(np.ascontiguousarray(decoded.pixels[:, :, 0]), original) > 15


@pytest.mark.parametrize("shape", [(31, 64, 3), (64, 31, 3), (1025, 64, 3), (64, 1025), (0, 64, 3)])
def test_pictures_that_are_too_small_or_large_are_refused(codec: StillCodec, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="sides of 32 to 1024"):
        codec.encode(np.zeros(shape, np.uint8), 500)


@pytest.mark.parametrize("budget", [60, 82, 123, 164, 246, 410, 655, 820, 1100])
def test_the_budget_is_filled_and_never_exceeded(codec: StillCodec, photograph: Photograph, budget: int) -> None:
    picture = photograph(256, 256)
    usable = min(budget, len(codec.encode(picture, 100_000)))  # the finest quality needs no more
    assert 0.97 * usable - 2 <= len(codec.encode(picture, budget)) <= budget


@settings(max_examples=40)
@given(st.integers(32, 130), st.integers(32, 130), st.integers(-5, 600), st.integers(0, 2**32 - 1))
def test_no_picture_exceeds_its_budget(codec: StillCodec, width: int, height: int, budget: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (*rng.integers(1, 30, 2), 3)).astype(np.uint8)
    picture = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    try:
        data = codec.encode(picture, budget)
    except BudgetError:
        return
    assert len(data) <= budget
    assert decode_still(data).complete


@pytest.mark.parametrize("budget", [-1, 0, 4, 5, 6])
def test_the_size_that_an_error_promises_is_enough(codec: StillCodec, photograph: Photograph, budget: int) -> None:
    picture = photograph(320, 240)
    with pytest.raises(BudgetError, match=f"^{budget} bytes are too few") as error:
        codec.encode(picture, budget)
    enough = int(re.findall(r"\d+", str(error.value))[-1])
    assert len(codec.encode(picture, enough)) <= enough
    assert "\n" not in str(error.value)


def test_more_bytes_make_a_better_picture(codec: StillCodec, photograph: Photograph) -> None:
    original = photograph(192, 192)
    quality_db = [psnr_db(decode_still(codec.encode(original, size)).pixels, original) for size in (50, 120, 300, 700)]
    assert quality_db == sorted(quality_db)
    assert quality_db[-1] > quality_db[0] + 2


@pytest.mark.parametrize(("bits_per_pixel", "scales"), [(0.1, {0}), (0.01, {1, 2}), (0.003, {2})])
def test_with_few_bits_a_smaller_picture_is_coded(
    codec: StillCodec, photograph: Photograph, bits_per_pixel: float, scales: set[int]
) -> None:
    original = photograph(320, 240)
    data = codec.encode(original, int(320 * 240 * bits_per_pixel / 8))
    assert read_still(data, codec.codec.entropy).scale in scales
    assert codec.decode(data).pixels.shape == original.shape


def test_of_two_scales_the_better_one_is_taken(
    codec: StillCodec, photograph: Photograph, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, budget = photograph(160, 128), 60  # 0.023 bit per pixel
    chosen = psnr_db(codec.decode(codec.encode(original, budget)).pixels, original)
    alone = []
    for scale in (0, 1):
        bounds = [(math.inf, math.inf)] * 3
        bounds[scale] = (0.0, math.inf)
        monkeypatch.setattr("pantel_models.still._BITS_PER_PIXEL", bounds)
        alone.append(psnr_db(codec.decode(codec.encode(original, budget)).pixels, original))
    assert chosen == max(alone)
    assert alone[0] != alone[1]


def test_the_bytes_are_the_same_for_both_views(two_views: Artefact, photograph: Photograph) -> None:
    one, other = (StillCodec(load_scene_codec(two_views, view=view)) for view in View)
    assert one.encode(photograph(160, 128), 60) == other.encode(photograph(160, 128), 60)


@pytest.mark.parametrize("budget", [120, 300])
def test_a_region_of_interest_becomes_better_by_decibels(
    codec: StillCodec, photograph: Photograph, budget: int
) -> None:
    original = photograph(256, 256)
    region = np.s_[96:160, 80:144]
    importance = region_importance(256, 256, [(80, 96, 64, 64)])
    plain, weighted = (
        decode_still(codec.encode(original, budget, importance=given)).pixels for given in (None, importance)
    )
    gained = psnr_db(weighted[region], original[region]) - psnr_db(plain[region], original[region])
    assert gained > 1.5
    assert psnr_db(weighted, original) > 14  # the rest can still be made out


@pytest.mark.parametrize("side_px", [16, 32, 48, 96])
@pytest.mark.parametrize("budget", [400, 900])
def test_a_region_of_any_size_becomes_no_worse(
    codec: StillCodec, photograph: Photograph, side_px: int, budget: int
) -> None:
    original = photograph(256, 256)
    region = np.s_[128 : 128 + side_px, 112 : 112 + side_px]
    importance = region_importance(256, 256, [(112, 128, side_px, side_px)])
    data = codec.encode(original, budget, importance=importance)
    plain, weighted = (codec.decode(each).pixels for each in (codec.encode(original, budget), data))
    assert psnr_db(weighted[region], original[region]) >= psnr_db(plain[region], original[region])


def test_cells_on_the_border_of_a_region_count_in_part() -> None:
    importance = region_importance(40, 20, [(-5, 4, 29, 12), (39, 19, 9, 9)], 4.0)
    assert importance.shape == (2, 3)
    assert importance[0, 0] == pytest.approx(0.25 + 0.75 * 12 / 16)
    assert importance[0, 1] == pytest.approx(0.25 + 0.75 * 8 * 12 / 256)
    # Of the last cell the picture has 8x4 pixels, of which one is in the second region.
    assert importance[1].tolist() == pytest.approx([0.25, 0.25, 0.25 + 0.75 / 32])
    assert region_importance(40, 20, [(0, 0, 40, 20)]).tolist() == [[1, 1, 1], [1, 1, 1]]
    with pytest.raises(ModelError, match="40,0,5,5 has no pixel"):
        region_importance(40, 20, [(40, 0, 5, 5)])
    with pytest.raises(ModelError, match=r"0\.5 times"):
        region_importance(40, 20, [(0, 0, 5, 5)], 0.5)


def test_important_cells_become_better(codec: StillCodec, photograph: Photograph) -> None:
    original = photograph(192, 192)
    importance = np.full((12, 12), 0.2, np.float32)
    importance[4:8, 4:8] = 5
    region = np.s_[64:128, 64:128]
    plain, weighted = (
        decode_still(codec.encode(original, 120, importance=given)).pixels[region] for given in (None, importance)
    )
    assert psnr_db(weighted, original[region]) > psnr_db(plain, original[region]) + 0.1


def test_encoding_is_deterministic(codec: StillCodec, photograph: Photograph) -> None:
    picture = photograph(100, 80)
    assert codec.encode(picture, 200) == codec.encode(picture.copy(), 200)


@pytest.mark.parametrize("budget", [90, 400])
def test_every_prefix_shows_what_it_holds(codec: StillCodec, photograph: Photograph, budget: int) -> None:
    original = photograph(128, 96)
    data = codec.encode(original, budget)
    quality_db = []
    for size in range(len(data)):
        try:
            decoded = codec.decode(data[:size])
        except CodecError:  # too short; how often is checked below
            continue
        assert not decoded.complete
        assert decoded.warning is not None
        assert "cut off" in decoded.warning
        assert decoded.pixels.shape == original.shape
        quality_db.append(psnr_db(decoded.pixels, original))
    quality_db.append(psnr_db(codec.decode(data).pixels, original))
    assert len(quality_db) >= len(data) - HEADER_BYTES - 2
    assert min(np.diff(quality_db)) > -0.8
    eighths = [float(np.mean(part)) for part in np.array_split(quality_db, 8)]
    assert min(np.diff(eighths)) > -0.1
    assert eighths[-1] > eighths[0] + 1.5


def test_damage_ends_in_a_codec_error_or_a_picture(codec: StillCodec, photograph: Photograph) -> None:
    data = codec.encode(photograph(64, 48), 120)
    for bit in range(8 * HEADER_BYTES, 8 * len(data), 3):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        with suppress(CodecError):
            assert codec.decode(bytes(flipped)).pixels.shape == (48, 64, 3)


@settings(max_examples=60)
@given(st.binary(max_size=60))
def test_noise_ends_in_a_codec_error_or_a_picture(codec: StillCodec, noise: bytes) -> None:
    header = StillHeader(40, 33, grey=False, model_tag=codec.codec.artefact.tag).to_bytes()
    with suppress(CodecError):
        assert codec.decode(header + noise).pixels.shape == (33, 40, 3)


@settings(max_examples=100)
@given(st.binary(max_size=12))
def test_any_bytes_end_in_one_of_our_errors_or_a_picture(noise: bytes) -> None:
    with suppress(CodecError, ModelError):
        decode_still(noise)


MEMORY_PROBE = """
import os
import numpy as np
from pantel_codec import StillHeader, StillValues, write_still
from pantel_models import load_still_codec

def resident_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

codec = load_still_codec()
model = codec.codec.entropy
rng = np.random.default_rng(1)
resident = []
for _ in range(300):
    width, height = (int(side) for side in rng.integers(32, 400, 2))
    header = StillHeader(width, height, False, codec.codec.artefact.tag)
    levels = len(model.groups)
    values = model.walk(
        *header.cells(0), 9, levels, lambda step: np.rint(rng.laplace(0, 0.4, step.mean.shape)).astype(int)
    )
    codec.decode(write_still(StillValues(header, 0, 9, levels, values), model))
    resident.append(resident_mib())
print(max(resident[100:200]), max(resident[200:]), max(resident))  # until then the heap finds its shape
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory in use from /proc")
def test_decoding_pictures_of_many_sizes_does_not_grow() -> None:
    run = subprocess.run(
        [sys.executable, "-c", MEMORY_PROBE],
        capture_output=True,
        text=True,
        check=True,
        env={
            "PYTHONPATH": ":".join(sys.path),
            "OMP_NUM_THREADS": "1",
            "PATH": "",
            # Else glibc keeps what was freed, the more the larger it was, and that is not what is asked here.
            "MALLOC_MMAP_THRESHOLD_": "131072",
            "MALLOC_TRIM_THRESHOLD_": "131072",
        },
    )
    early, late, largest = (float(mib) for mib in run.stdout.split())
    assert late < early + 15
    assert largest < 200
