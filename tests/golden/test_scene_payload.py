"""Golden bytes of a scene payload with every kind of element. They change only with the version of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pantel_codec import Element, EntropyModel, SceneSyntax, Surface, ThumbnailModel

PAYLOAD = (
    "f6711d66bcf4765ee3997e67006dc5f7960146db79149a09fed4c6b2f778140b75a05a65360503e781b37d242fd1525a6173"
    "b9a0021ead168e3194e65c784c23e822279fb532190852894e1a044cb8b5bba7def64aed2f0b0dd3a2a9e21058aa11ecbf08"
    "66925c8c467c4a042c7df6840642698e9dd46dc548b894d48657461209da34423cac4c7d7439eba6e75af8560fa9c73c5ea1"
    "7af4c8e13e56f2b6e17517e6a5beb4139f3849f3937f40d72adefdf96436d7069c850df6367d1ba0fc158f"
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
    model: EntropyModel, thumbnails: ThumbnailModel, golden_elements: Sequence[Element], golden_background: Surface
) -> None:
    read = SceneSyntax(model, thumbnails, 320, 240).read(bytes.fromhex(PAYLOAD), golden_background)
    assert [plain(element) for element in read] == [plain(element) for element in golden_elements]
