"""Golden bytes of a scene payload with every kind of element. They change only with the version of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pantel_codec import Background, Element, EntropyModel, SceneSyntax, ThumbnailModel

PAYLOAD = (
    "f791084753d4b2a6e6cfb09001265007a812303c1a949e2b053faa64c2cbaa83c6ef05529a8aa9304c177e49238c9a51a317"
    "0233a8ca2c8512190feec053bb0b817f61b208df63a1a4bc3d610ba8354ca4f7a09103e9e87d205602fd732d42215c78288d"
    "08a3d2c551cb837ae963a3251c72b72ea2ed1bd307ffa1102d6c504be15592fc92e471c2a48745baa21c3473c5f3dfd48561"
    "83c811d16ca06c4674b332e6ce63e4b3cc438f55e1212cff95f3d837a80348164cbd30b612ea19e63e6840b8b1253de434ae"
    "5eff3c1d5701c9654877"
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
    model: EntropyModel, thumbnails: ThumbnailModel, golden_elements: Sequence[Element], golden_background: Background
) -> None:
    read = SceneSyntax(model, thumbnails, 320, 240).read(bytes.fromhex(PAYLOAD), golden_background)
    assert [plain(element) for element in read] == [plain(element) for element in golden_elements]
