"""Golden outputs of the context networks: encoder and decoder must find the same on every machine, for ever."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Base, EntropyModel, Step


@pytest.mark.parametrize(
    ("refining", "expected"),
    [
        (False, "c3ffee63cf1c086701fb10fd3dbf070e01eda6dd71d9566276d308c93d32c607"),
        (True, "f686bef19a68c46bd27fa3f482af3304629afc547bd559e7dbf5f29835df6cf5"),
    ],
)
def test_golden_predictions(
    model: EntropyModel, golden_values: Callable[..., NDArray[np.int64]], *, refining: bool, expected: str
) -> None:
    digest = hashlib.sha256()
    values: NDArray[np.int64]
    base = Base(golden_values(6, 9, 1, 2), np.full((6, 9), 2, np.uint8), 1) if refining else None

    def visit(step: Step) -> NDArray[np.int64]:
        for found in (step.mean, step.table):
            digest.update(found.astype("<i4").tobytes())
        return step.residual(values)

    for quality in range(model.qualities):
        values = golden_values(6, 9, quality, 3, base).reshape(model.channels, -1)
        model.walk(6, 9, quality, 3, visit, base=base)
    assert digest.hexdigest() == expected


def test_golden_tables(model: EntropyModel) -> None:
    cdfs = b"".join(table.cdf.astype("<u4").tobytes() for table in model.tables)
    assert hashlib.sha256(cdfs).hexdigest() == "8fd827e668833ff7a43f8425e6c6803f04c0755fadc170eb71b2bb08ebc771d9"
