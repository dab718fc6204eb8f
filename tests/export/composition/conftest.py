"""Photographs with objects in them, painted here, and composed pictures that no codec made."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pantel_export.composition.photographs import Photograph

_SIDE_PX = 160


@pytest.fixture(scope="session")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Photograph], list[Photograph]]:
    """Return a smooth picture, and one with a red person before it, 30 px wide and 80 high, and its mask."""
    folder = tmp_path_factory.mktemp("scenery")
    rng = np.random.default_rng(8)
    noise = rng.integers(60, 200, (10, 10, 3), dtype=np.uint8)
    picture = np.asarray(cv2.resize(noise, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert cv2.imwrite(str(folder / "bare.png"), picture)
    mask = np.zeros((_SIDE_PX, _SIDE_PX), np.uint8)
    cv2.ellipse(mask, (70, 80), (15, 40), 0, 0, 360, 255, -1)
    picture[mask > 0] = (20, 20, 230)
    assert cv2.imwrite(str(folder / "person.png"), picture)
    assert cv2.imwrite(str(folder / "mask.png"), mask)
    return [Photograph(folder / "bare.png")], [Photograph(folder / "person.png", mask=folder / "mask.png")]


@pytest.fixture(scope="session")
def composed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of composed pictures: sources, and what is left of them when they are blurred."""
    folder = tmp_path_factory.mktemp("composed")
    rng = np.random.default_rng(9)
    pictures = np.zeros((3, 128, 128, 7), np.uint8)
    for picture in pictures:
        noise = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        source = cv2.resize(noise, (128, 128), interpolation=cv2.INTER_CUBIC)
        picture[..., :3], picture[..., 4:] = cv2.blur(source, (5, 5)), source
        picture[40:80, 30:60, 3] = 255
    np.save(folder / "pictures.npy", pictures)
    record = {"pictures": 3, "side_px": 128, "folders": ["somewhere"], "artefact": "toy", "painters_sha256": {}}
    (folder / "record.json").write_text(json.dumps(record))
    return folder
