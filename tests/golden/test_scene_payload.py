"""Golden bytes of a scene payload with every kind of element. They change only with the version of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pantel_codec import Element, EntropyModel, SceneSyntax, ThumbnailModel

PAYLOAD = (
    "f27a425824a64d66a5c4ea2d68517bf00f97aa063e1c6edc7420eb5b990332fc5dd355210bb7196d6c198c4c90535312054c"
    "2259a2d217f56704f485f04f35614f36a2b1f3714b5f37ea4699d3e19509b887506e2ff7471c83d02faffa0fd0ed14a0276d"
    "e28d79b7da72675229e47a49e6a90487"
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
