from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.pictures import SourcePicture
from pantel_bench.still_resilience import Resilience, mean_resilience, measure_resilience
from pantel_models import StillCodec, load_still_codec


@pytest.fixture(scope="module")
def codec() -> StillCodec:
    return load_still_codec()


@pytest.fixture(scope="module")
def found(codec: StillCodec, scene: NDArray[np.uint8]) -> list[Resilience]:
    return measure_resilience(codec, SourcePicture("scene", scene), [0.08, 0.0001])


def test_rates_that_cannot_be_encoded_are_left_out(found: list[Resilience]) -> None:
    assert [(each.image, each.target_bpp) for each in found] == [("scene", 0.08)]


def test_the_less_is_there_the_less_is_seen(found: list[Resilience]) -> None:
    (each,) = found
    assert each.ms_ssim_inpainted < each.ms_ssim_lost < each.ms_ssim
    assert list(each.prefix_psnr_db) == sorted(each.prefix_psnr_db)
    assert each.rest_gain_db < 0 < each.region_gain_db
    assert abs(each.payload_psnr_gain_db) < 2


def test_the_same_cells_are_lost_every_time(
    codec: StillCodec, scene: NDArray[np.uint8], found: list[Resilience]
) -> None:
    assert measure_resilience(codec, SourcePicture("scene", scene), [0.08]) == found


def test_means_are_those_of_a_rate() -> None:
    rows = [
        Resilience(image, rate, value, 0.5, 0.4, (value, 2.0, 3.0, 4.0), 0.1, 0.01, 2.0, -1.0)
        for image, rate, value in (("a", 0.1, 0.5), ("b", 0.1, 0.7), ("a", 0.2, 0.9))
    ]
    first, second = mean_resilience(rows)
    assert (first.image, first.target_bpp, second.target_bpp) == ("", 0.1, 0.2)
    assert first.ms_ssim == pytest.approx(0.6)
    assert first.prefix_psnr_db == pytest.approx((0.6, 2.0, 3.0, 4.0))
    assert second.region_gain_db == 2.0
