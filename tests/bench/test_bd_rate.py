from __future__ import annotations

import pytest

from pantel_bench.errors import MetricError
from pantel_bench.metrics import bd_rate_percent

# (bytes, PSNR) of a codec at 256x256; the tests compare others with it.
ANCHOR = [(81.0, 20.3), (245.0, 22.5), (409.0, 23.5), (819.0, 25.3)]


def test_a_curve_equals_itself() -> None:
    assert bd_rate_percent(ANCHOR, ANCHOR) == pytest.approx(0.0)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25])
def test_a_constant_factor_in_rate_is_found(factor: float) -> None:
    test = [(rate * factor, quality) for rate, quality in reversed(ANCHOR)]
    assert bd_rate_percent(ANCHOR, test) == pytest.approx((factor - 1) * 100)


def test_the_unit_of_rate_does_not_matter() -> None:
    test = [(90.0, 20.9), (250.0, 23.1), (400.0, 24.6), (800.0, 26.5)]
    scaled = [(rate / 8192, quality) for rate, quality in test]
    assert bd_rate_percent([(r / 8192, q) for r, q in ANCHOR], scaled) == pytest.approx(bd_rate_percent(ANCHOR, test))


def test_curved_curves_agree_with_scipys_pchip() -> None:
    test = [(90.0, 20.9), (250.0, 23.1), (400.0, 24.6), (800.0, 26.5)]
    # 10 ** ((integral of PchipInterpolator(q, log10 r) over 20.9..25.3, test less anchor) / 4.4) - 1, scipy 1.17
    assert bd_rate_percent(ANCHOR, test) == pytest.approx(-27.053312522837892, abs=1e-9)


def test_two_points_are_a_straight_line() -> None:
    anchor, test = [(100.0, 20.0), (1000.0, 30.0)], [(100.0, 25.0), (1000.0, 35.0)]
    assert bd_rate_percent(anchor, test) == pytest.approx((10**-0.5 - 1) * 100)


@pytest.mark.parametrize(
    "curve",
    [
        [],
        [(100.0, 20.0)],
        [(0.0, 20.0), (100.0, 21.0)],
        [(100.0, 21.0), (200.0, 20.0)],
        [(100.0, 50.0), (200.0, 60.0)],
    ],
)
def test_curves_that_cannot_be_compared(curve: list[tuple[float, float]]) -> None:
    with pytest.raises(MetricError):
        bd_rate_percent(ANCHOR, curve)
