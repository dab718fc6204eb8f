"""Golden bytes of a scene payload with every kind of element. They change only with the version of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pantel_codec import Element, EntropyModel, SceneSyntax, ThumbnailModel

PAYLOAD = (
    "f6711d66bcf490700a62e2e9ce39fe3499502cddcba1e22b8a5d629903570c1f0752814f9e9898a6d72112926643d30c186f"
    "09a3e651c806b7d4b4a8923fcb34d8beeb9d17c9a0b0bcb3d204f5ccfca69c691f848fb6b4d47c7e6b4c4e7660c1507e061e"
    "b90b4b7b0fb85aefc25780c04cd6b8fb458beadb93afe53b875941acad32a41c349e42b8687da407c7733f8b0b0b2a22f497"
    "ea5036b0e011b168"
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
