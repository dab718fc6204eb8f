"""What running the networks must not do besides."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_DECODE = """
from pantel_models import load_still_codec, decode_still
import numpy as np
picture = np.full((48, 64, 3), 128, np.uint8)
assert decode_still(load_still_codec().encode(picture, 60)).pixels.shape == picture.shape
"""


def test_nobody_is_told_that_a_network_runs(tmp_path: Path) -> None:
    """Onnxruntime would report to its makers, and keep a device's number and what it has to report in the cache."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ORT_")}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", _DECODE], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
