"""Material for the detector's training: white squares before grey, which are people."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pantel_export.eyes.material import DetectionMaterial, Sources

SIDE_PX = 128


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> DetectionMaterial:
    folder = tmp_path_factory.mktemp("squares")
    photos, boxes = folder / "photos", folder / "boxes"
    photos.mkdir()
    boxes.mkdir()
    rng = np.random.default_rng(0)
    for index in range(12):
        picture = rng.integers(60, 100, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
        lines = []
        for _ in range(int(rng.integers(1, 4))):
            side = int(rng.integers(16, 48))
            x, y = rng.integers(0, SIDE_PX - side, 2)
            picture[y : y + side, x : x + side] = 230
            centre = (x + side / 2) / SIDE_PX, (y + side / 2) / SIDE_PX
            lines.append(f"0 {centre[0]} {centre[1]} {side / SIDE_PX} {side / SIDE_PX}")
        assert cv2.imwrite(str(photos / f"{index}.png"), picture)
        (boxes / f"{index}.txt").write_text("\n".join(lines))
    return DetectionMaterial(Sources([(photos, boxes)], [], []), 0.4)


def photo_folder(material: DetectionMaterial, folder: Path) -> Path:
    """Write the pictures of a material and return their folder."""
    for index, picture in enumerate(material.pictures):
        assert cv2.imwrite(str(folder / f"{index}.png"), picture.pixels)
    return folder
