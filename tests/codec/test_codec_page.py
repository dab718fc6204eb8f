"""The numbers that docs/codec.md gives for sprites, tone and contours are those of the codec."""

from __future__ import annotations

from pathlib import Path

from pantel_codec import (
    AGE_STEP_NS,
    CONTOUR_STEPS_PX,
    MARGINS,
    MAX_CONTOUR_BITS,
    MAX_CONTOUR_SAMPLES,
    MAX_SPRITES,
    OUTLINE_MARGIN,
    THUMBNAIL_QUALITIES,
    THUMBNAIL_VERSIONS,
    TONE_LIMIT,
    TONE_STEPS_PER_OCTAVE,
)
from pantel_codec.elements import STEP_RANGE_PX, STEP_SIZES

PAGE = (Path(__file__).parents[2] / "docs" / "codec.md").read_text()


def test_the_page_gives_the_numbers_of_the_codec() -> None:
    for sentence in (
        f"of the sprite, equiprobable below {MAX_SPRITES}",
        f"by its table, in steps of {AGE_STEP_NS / 1e9} s",
        "{}, {}, {} or {} for the margins 0, 1, 2, 3".format(*MARGINS),
        f"its quality below {THUMBNAIL_QUALITIES} and its version below {THUMBNAIL_VERSIONS}",
        f"each g + {TONE_LIMIT}, equiprobable below {2 * TONE_LIMIT + 1}; g is in 1/{TONE_STEPS_PER_OCTAVE} octave",
        f"x and y modulo {STEP_RANGE_PX}, each equiprobable below {STEP_RANGE_PX}",
        f"the height's code modulo {STEP_SIZES}, below {STEP_SIZES}",
        f"/{STEP_RANGE_PX} + 1/2⌋ where r is what was told",
        "have squares of {}, {:g}, {:g}, {:g}, {:g}, {:g}, {:g} and {:g} pixels".format(*CONTOUR_STEPS_PX),
        f"an element of contours at most {MAX_CONTOUR_BITS} bits, kind included, and {MAX_CONTOUR_SAMPLES} samples",
        f"made wider by 1/{1 / OUTLINE_MARGIN:g} of the width",
    ):
        assert sentence in " ".join(PAGE.split())
