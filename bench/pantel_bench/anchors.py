"""Published figures of codecs that Pillow has not (VVC, HEVC), as in ``docs/anchors/stills_kodak256.csv``."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from pantel_bench.errors import AnchorError
from pantel_bench.metrics import Scores
from pantel_bench.still import PeerChoice, StillRow

__all__ = ["read_anchors"]

_METRIC_COLUMNS = {"psnr_db": "psnr", "ms_ssim": "msssim", "lpips": "lpips"}


def read_anchors(path: Path, images: Collection[str], besides: Collection[str]) -> list[StillRow]:
    """Return the published rows of some pictures.

    Args:
        path: CSV with the columns image, codec, target_bpp, select (the metric for which the line's candidate
            was chosen), scale, q, need_bytes, file_bytes, need_bpp, psnr, msssim, lpips.
        images: Names of the pictures that are wanted.
        besides: Codecs that are left out because they have been measured.

    Raises:
        AnchorError: The file cannot be read or lacks a column.
    """
    groups: dict[tuple[str, str, float], dict[str, dict[str, str]]] = {}
    try:
        with path.open(newline="") as file:
            for line in csv.DictReader(file):
                if line["image"] in images and line["codec"] not in besides:
                    key = line["codec"], line["image"], float(line["target_bpp"])
                    groups.setdefault(key, {})[line["select"]] = line
        return [_row(codec, image, target_bpp, by_metric) for (codec, image, target_bpp), by_metric in groups.items()]
    except OSError as error:
        raise AnchorError(f"cannot read the published figures {path}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise AnchorError(f"{path} is no table of published figures ({error})") from error


def _row(codec: str, image: str, target_bpp: float, by_metric: dict[str, dict[str, str]]) -> StillRow:
    """Join the lines of one codec, picture and rate into a row of the kind that peers get."""
    lines = {key: by_metric[column] for key, column in _METRIC_COLUMNS.items()}
    by_psnr = lines["psnr_db"]
    return StillRow(
        codec=f"{codec} (published)",
        image=image,
        target_bpp=target_bpp,
        bytes_needed=int(by_psnr["need_bytes"]),
        file_bytes=int(by_psnr["file_bytes"]),
        bpp=float(by_psnr["need_bpp"]),
        entropy_bytes=None,
        scores=Scores(
            psnr_db=float(lines["psnr_db"]["psnr"]),
            ms_ssim=float(lines["ms_ssim"]["msssim"]),
            lpips=float(lines["lpips"]["lpips"]),
            haarpsi=None,
            gmsd=None,
            contour_f1=None,
            grid_ratio=None,
        ),
        encode_ms=None,
        decode_ms=None,
        chosen={
            key: PeerChoice(int(line["scale"]), int(line["q"]), int(line["need_bytes"]), int(line["file_bytes"]))
            for key, line in lines.items()
        },
    )
