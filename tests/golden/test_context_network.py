"""Golden outputs of the context networks: encoder and decoder must find the same on every machine, for ever."""

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pantel_codec import EntropyModel, Step


def test_golden_predictions(
    model: EntropyModel, golden_symbols: Callable[[int, int, range], NDArray[np.int64]]
) -> None:
    symbols = golden_symbols(6, 9, range(3)).reshape(model.channels, -1)
    digest = hashlib.sha256()

    def visit(step: Step) -> NDArray[np.int64]:
        for values in (step.center, step.table):
            digest.update(values.astype("<i2").tobytes())
        return symbols[step.channels, step.cells]

    for quality in range(model.qualities):
        model.walk(6, 9, quality, range(3), visit)
    assert digest.hexdigest() == "7d1aeb4dc26df333976b522fda978d97a9a85d4332a68b1edd6fa3b046cccade"


def test_golden_tables(model: EntropyModel) -> None:
    cdfs = b"".join(table.cdf.astype("<u4").tobytes() for table in model.tables)
    assert hashlib.sha256(cdfs).hexdigest() == "176dd7e115ae887202d460c384350dfd64aed7b0fe36a81580eebbd22848a0ce"
