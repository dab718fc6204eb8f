"""Golden bytes of a scene payload with every kind of element. They change only with the version of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pantel_codec import Element, EntropyModel, SceneSyntax, ThumbnailModel

PAYLOAD = (
    "f6711d66bcf49071c999a28b7af4cddfcece7019b20cc35423bc4120c06ccd329e8d890d693d26cb4acbd9b3b3579ad2d73f"
    "4fee7625931a3c77221bc035e4594d2f4850bf9ef51fe8aceb108e9b79338b99900d657fddcd6a2781aea90cc5b9e2030e98"
    "7ca99fa19ff824816ce92f2149f5073055dd76e6e01ca9f6f76873ee9dbbe2e3a40f91930fb15854028e14e72ceedce9fd85"
    "bc15db68cf339987de70"
)


def plain(value: Any) -> Any:
    """Return elements in a form that compares by value."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_dataclass(value):
        return type(value), [plain(getattr(value, field.name)) for field in fields(value)]
    return value


def test_golden_payload_is_written(
    model: EntropyModel, thumbnails: ThumbnailModel, golden_elements: Sequence[Element]
) -> None:
    assert SceneSyntax(model, thumbnails, 320, 240).write(golden_elements).hex() == PAYLOAD


def test_golden_payload_is_read(
    model: EntropyModel, thumbnails: ThumbnailModel, golden_elements: Sequence[Element]
) -> None:
    read = SceneSyntax(model, thumbnails, 320, 240).read(bytes.fromhex(PAYLOAD))
    assert [plain(element) for element in read] == [plain(element) for element in golden_elements]
