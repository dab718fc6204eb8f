"""What the tests of the models share: pictures, and a copy of the shipped models to be spoilt."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import pantel_device
from pantel_models import MANIFEST, StillCodec, find_artefact, load_still_codec

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session")
def codec() -> StillCodec:
    return load_still_codec()


@pytest.fixture(scope="session")
def photograph() -> Callable[[int, int], Picture]:
    """Return a function that cuts a part of a public-domain photograph to a size."""
    assets = Path(pantel_device.__file__).parent / "assets"
    picture = cv2.imread(str(assets / "launch_pad.webp"), cv2.IMREAD_COLOR_RGB)
    assert picture is not None

    def cut(width: int, height: int) -> Picture:
        resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(resized, np.uint8)

    return cut


@pytest.fixture
def shipped_tables() -> dict[str, NDArray[Any]]:
    """Return the arrays of the default model, to be spoilt."""
    return dict(np.load(io.BytesIO(find_artefact().read("tables"))))


@pytest.fixture
def shipped_copy(tmp_path: Path) -> Path:
    """Return the manifest of a copy of everything that is shipped."""
    shutil.copytree(MANIFEST.parent, tmp_path / "artefacts")
    return tmp_path / "artefacts" / MANIFEST.name


@pytest.fixture
def replace_file(shipped_copy: Path) -> Callable[[str, bytes], Path]:
    """Return a function that replaces a file of the default model and enters the new hash in the manifest."""

    def replace(role: str, data: bytes) -> Path:
        manifest = json.loads(shipped_copy.read_text())
        entry = manifest["artefacts"][0]
        (shipped_copy.parent / entry["name"] / entry["files"][role]["name"]).write_bytes(data)
        entry["files"][role]["sha256"] = hashlib.sha256(data).hexdigest()
        shipped_copy.write_text(json.dumps(manifest))
        return shipped_copy

    return replace
