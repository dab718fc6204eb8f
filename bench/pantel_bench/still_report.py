"""The results of the still benchmark and their JSON form; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_bench.still import StillRow, Unreached
from pantel_bench.still_resilience import Resilience
from pantel_bench.still_sets import SetScores
from pantel_bench.summary import Mean, means, rate_differences

__all__ = ["ModelFigures", "StillReport", "to_json"]

_PACKAGES = ("pantel", "numpy", "onnxruntime", "opencv-python-headless", "pillow")


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """The models under test and what they cost.

    Attributes:
        name: Name of the artefact.
        hash: SHA-256 of its tables, hexadecimal.
        encoder_mac_per_pixel: Multiply-accumulates of the encoder per pixel.
        generator_mac_per_pixel: Multiply-accumulates of the generator per pixel.
        enlarger_mac_per_pixel: Multiply-accumulates of the enlarger per pixel of what it makes; None without one.
        encode_mac_per_pixel: Multiply-accumulates per pixel of encoding, search included, by rate; mean.
    """

    name: str
    hash: str
    encoder_mac_per_pixel: float
    generator_mac_per_pixel: float
    enlarger_mac_per_pixel: float | None
    encode_mac_per_pixel: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class StillReport:
    """All that a run found.

    Attributes:
        size: How the pictures were cut, as in `pantel_bench.pictures.SIZES`.
        rates_bpp: Rates asked for [bit/pixel].
        images: Names of the pictures.
        models: The models under test.
        rows: The measured rows.
        unreached: Rates that a codec could not reach.
        published: Rows of published figures, for comparison only.
        sources: (H, W, 3) uint8 RGB of each picture by its name.
        sets: What was measured of all pictures together.
        resilience: What is left of our pictures when parts are missing.
    """

    size: str
    rates_bpp: Sequence[float]
    images: Sequence[str]
    models: ModelFigures
    rows: Sequence[StillRow]
    unreached: Sequence[Unreached]
    published: Sequence[StillRow]
    sources: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    sets: Sequence[SetScores] = ()
    resilience: Sequence[Resilience] = ()

    @property
    def all_rows(self) -> list[StillRow]:
        """The measured rows and the published ones."""
        return [*self.rows, *self.published]


def to_json(report: StillReport) -> bytes:
    """Return the report as a JSON file."""
    content = {
        "benchmark": "still",
        "settings": {"size": report.size, "bpp": list(report.rates_bpp), "images": list(report.images)},
        "versions": {package: _version(package) for package in _PACKAGES},
        "models": asdict(report.models),
        "rows": [_row(row) for row in report.rows],
        "unreached": [asdict(unreached) for unreached in report.unreached],
        "means": [_mean(mean) for mean in means(report.rows)],
        "sets": [asdict(each) for each in report.sets],
        "resilience": [asdict(each) for each in report.resilience],
        "published_means": [_mean(mean) for mean in means(report.published)],
        "bd_rate": [asdict(difference) for difference in rate_differences(report.all_rows)],
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def _row(row: StillRow) -> dict[str, Any]:
    return {
        "codec": row.codec,
        "image": row.image,
        "target_bpp": row.target_bpp,
        "bytes": row.bytes_needed,
        "file_bytes": row.file_bytes,
        "bpp": row.bpp,
        "entropy_bytes": row.entropy_bytes,
        **asdict(row.scores),
        "encode_ms": row.encode_ms,
        "decode_ms": row.decode_ms,
        "chosen": {
            metric: {
                "downscale": choice.downscale,
                "quality": choice.quality,
                "bytes": choice.bytes_needed,
                "file_bytes": choice.file_bytes,
            }
            for metric, choice in row.chosen.items()
        },
    }


def _mean(mean: Mean) -> dict[str, Any]:
    return {
        "codec": mean.codec,
        "target_bpp": mean.target_bpp,
        "images": mean.images,
        "bytes": mean.bytes_needed,
        "bpp": mean.bpp,
        "entropy_bytes": mean.entropy_bytes,
        **asdict(mean.scores),
        "encode_ms": mean.encode_ms,
        "decode_ms": mean.decode_ms,
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
