"""Golden outputs of the context networks: encoder and decoder must find the same on every machine, for ever."""

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pantel_codec import EntropyModel, Step


def test_golden_predictions(
    model: EntropyModel, golden_values: Callable[[int, int, int, range], NDArray[np.int64]]
) -> None:
    digest = hashlib.sha256()
    values: NDArray[np.int64]

    def visit(step: Step) -> NDArray[np.int64]:
        for found in (step.mean, step.table):
            digest.update(found.astype("<i4").tobytes())
        return step.residual(values)

    for quality in range(model.qualities):
        values = golden_values(6, 9, quality, range(3)).reshape(model.channels, -1)
        model.walk(6, 9, quality, range(3), visit)
    assert digest.hexdigest() == "15c1311be9269771b89eb2c20eda1603173871bbed4ba7e831ce2d7defa8d896"


def test_golden_tables(model: EntropyModel) -> None:
    cdfs = b"".join(table.cdf.astype("<u4").tobytes() for table in model.tables)
    assert hashlib.sha256(cdfs).hexdigest() == "ae4d292d0a110846169bf7c67406a9a400f898ce9d1dae1d29129373cab8be14"
