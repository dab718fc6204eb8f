"""Golden bytes of a scene payload with every kind of element. They change only with the version of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pantel_codec import Element, EntropyModel, SceneSyntax, ThumbnailModel

PAYLOAD = (
    "fc5181ec0379f76dbf197972a803bc9632520b4e839bdcd661278de276b97152018d9fb830aa04c539445745dc5574c785ef"
    "54d90473885525bc8b037a6d025b1ddfb8525b9e23cdbdbc9f197fb6984de818735f36366721ea4b751bb778dd5ca3914a09"
    "45d8f4a519dfd7cade"
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
