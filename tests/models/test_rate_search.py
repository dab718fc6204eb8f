"""The search for the setting that fills a budget."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_models.rate_search import last_fitting


@dataclass(frozen=True)
class Output:
    setting: int
    size_bits: float


def search(
    size_of: Callable[[int], float], limit: float, *, guess: float = 50.0, enough: float = math.inf
) -> tuple[Output | None, list[int]]:
    tried: list[int] = []

    def attempt(setting: int) -> Output:
        assert 0 <= setting < 100
        assert setting not in tried
        tried.append(setting)
        return Output(setting, size_of(setting))

    found = last_fitting(attempt, range(100), limit, guess=guess, growth=0.1, enough_bits=enough)
    return found, tried


@given(st.floats(0.01, 0.4), st.floats(1, 1e9), st.floats(-1e3, 1e3))
def test_finds_the_last_that_fits(growth: float, limit: float, guess: float) -> None:
    sizes = [20 * math.exp(growth * setting) for setting in range(100)]
    found, tried = search(lambda setting: sizes[setting], limit, guess=guess)
    fitting = [setting for setting in range(100) if sizes[setting] <= limit]
    assert (found.setting if found else None) == (fitting[-1] if fitting else None)
    assert len(tried) <= 5 + 7  # secants, then bisection of what is left


@given(st.lists(st.floats(0, 1e6), min_size=100, max_size=100), st.floats(-10, 1e6))
def test_any_sizes_end_in_one_that_fits_or_in_none(sizes: list[float], limit: float) -> None:
    found, _ = search(lambda setting: sizes[setting], limit)
    assert found is None or found.size_bits <= limit


def test_smooth_sizes_take_few_attempts() -> None:
    _, tried = search(lambda setting: 30 * math.exp(0.12 * setting), 3000.0, guess=40)
    assert len(tried) <= 4


def test_an_output_that_is_large_enough_ends_the_search() -> None:
    found, tried = search(lambda setting: 1000.0 + setting, 1060.0, guess=50, enough=1040.0)
    assert found == Output(50, 1050.0)
    assert tried == [50]


@pytest.mark.parametrize("limit", [-5.0, 0.0, 19.0])
def test_nothing_fits(limit: float) -> None:
    assert search(lambda setting: 20.0 + setting, limit)[0] is None
