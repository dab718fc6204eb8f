from __future__ import annotations

import numpy as np
import pytest

from pantel_device.archives.content_age import ContentAges

_S = 1_000_000_000


def ages_of(*seconds: float, fresh_s: float = 10.0) -> ContentAges:
    ages = ContentAges()
    for part in np.array_split(np.array([round(each * _S) for each in seconds], np.int64), 3):
        ages.take(part, round(fresh_s * _S))
    return ages


def test_without_any_nothing_is_known() -> None:
    ages = ages_of()
    assert (ages.count, ages.mean_s, ages.max_s, ages.percentile_s(0.5)) == (0, None, None, None)


def test_means_and_counts_are_exact() -> None:
    ages = ages_of(0.5, 9.9, 10.0, 10.1, 400.0, -0.3)
    assert (ages.count, ages.fresh, ages.max_s) == (6, 4, 400.0)
    assert ages.mean_s == pytest.approx(430.5 / 6, rel=1e-12)


@pytest.mark.parametrize(("most_s", "step_s"), [(9.0, 0.1), (110.0, 1.0), (7000.0, 60.0), (2e6, 3600.0), (1e7, 1e7)])
def test_percentiles_are_the_next_step_above(most_s: float, step_s: float) -> None:
    seconds = np.random.default_rng(1).uniform(0, most_s, 999)
    ages = ages_of(*seconds)
    for share in (0.05, 0.5, 0.95, 1.0):
        exact = np.quantile(seconds, share, method="inverted_cdf")
        found = ages.percentile_s(share)
        assert found is not None
        assert exact - 1e-6 <= found <= min(exact + step_s, seconds.max() + 1e-6)
