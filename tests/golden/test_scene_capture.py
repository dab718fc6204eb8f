"""A capture of the bundled scene holds the same scene for every receiver, whatever its range coder."""

from __future__ import annotations

import json

from tests.golden.scene_capture import CAPTURE, DIGEST, scene_digest

from pantel_models import find_artefact


def test_the_golden_capture_holds_the_golden_scene() -> None:
    golden = json.loads(DIGEST.read_text())
    assert golden["model"] == find_artefact().hash, "make it anew: python -m tests.golden.scene_capture"
    assert scene_digest(CAPTURE) == (golden["sha256"], golden["elements"])
    assert golden["elements"] > 50
