"""Makes tests/captures/scene.pcapng and the digest of the scene in it: 12 s of the bundled scene over a bad line.

``python -m tests.golden.scene_capture`` writes both anew; that is due when the default model or the protocol changes.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pantel_bench.rig.settings import RECEIVER_DELAY_NS, RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_codec import Scene, SceneSyntax, apply_element
from pantel_link import PacketKind
from pantel_link.captures import CapturedCodeword, CaptureHeader, CaptureWriter, ReplayLink, read_capture
from pantel_models import find_artefact, load_scene_codec

CAPTURES = Path(__file__).parents[1] / "captures"
CAPTURE = CAPTURES / "scene.pcapng"
DIGEST = CAPTURES / "scene.json"
_SECONDS = 12.0


def plain(value: Any) -> Any:
    """Return a value in a form that looks the same everywhere."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_dataclass(value):
        return type(value).__name__, [plain(getattr(value, field.name)) for field in fields(value)]
    return value


def scene_digest(capture: Path) -> tuple[str, int]:
    """Return the SHA-256 of all elements and of the background that they make, and how many elements there are."""
    digest, count = hashlib.sha256(), 0
    link, scene, syntax = ReplayLink(), None, None
    for event in read_capture(capture):
        if not isinstance(event, CapturedCodeword):
            continue
        for received in link.receive_codeword(event.octets, event.arrival_ns):
            if scene is None or syntax is None:
                context = received.context
                codec = load_scene_codec(find_artefact(hash_prefix=context.model_hash.hex()))
                scene = Scene(context.width_px, context.height_px, codec.entropy.groups)
                syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, context.width_px, context.height_px)
            if received.packet.kind is PacketKind.SCENE:
                for element in syntax.read(received.packet.payload, scene.background):
                    digest.update(repr(plain(element)).encode())
                    apply_element(scene, element, received.stamp_ns)
                    count += 1
    for surface in () if scene is None else scene.background.scales:
        for array in (surface.values, surface.level, surface.quality):
            digest.update(array.astype("<i4").tobytes())
    return digest.hexdigest(), count


def main() -> None:
    """Write the capture and its digest."""
    CAPTURE.unlink(missing_ok=True)
    settings = RigSettings(seconds=_SECONDS, bit_error_rate=1e-3, loss=0.05, seed=3)
    writer = CaptureWriter(CAPTURE, CaptureHeader(settings.bitrate_bps, RECEIVER_DELAY_NS), interface="null modem")
    with closing(VirtualRun(settings, listener=writer)) as run:
        for _ in run.showings():
            pass
    writer.close(round(_SECONDS * 1e9))
    sha256, elements = scene_digest(CAPTURE)
    DIGEST.write_text(json.dumps({"model": find_artefact().hash, "elements": elements, "sha256": sha256}) + "\n")


if __name__ == "__main__":
    main()
