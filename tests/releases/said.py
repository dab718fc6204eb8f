"""What a capture says, in a form that no later version of the program changes as long as it understands the same."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pantel_codec import Scene, SceneSyntax, apply_element
from pantel_device.receiving.replay import replay
from pantel_device.receiving.sink import Event, Picture
from pantel_link import Keyring, MasterKey, PacketKind, SenderKey, read_key
from pantel_link.captures import CapturedCodeword, CaptureEvent, CaptureHeader, ReplayLink, ReplayPort, read_capture
from pantel_models import find_artefact, load_scene_codec

__all__ = ["Said", "frozen_key", "what_it_says"]

# What was frozen once is compared for ever, so the attributes are named: who renames one renames it here, too, and
# keeps the order; who adds one adds none here.
_ATTRIBUTES = {
    "Block": ("column", "row", "columns", "rows"),
    "CameraElement": ("mosaic", "age_steps", "pose"),
    "CameraPose": ("x", "y", "zoom", "turn"),
    "CellElement": ("update", "seed", "mosaic"),
    "CellUpdate": ("block", "quality", "levels", "values", "scale"),
    "ContourElement": ("patch",),
    "ContourPatch": ("step", "block", "samples"),
    "ForgetElement": ("sprite_id", "age_steps"),
    "Knot": ("age_steps", "x", "y", "height_code"),
    "LinkElement": ("mosaic", "parent", "pose"),
    "LookElement": ("sprite_id", "shape", "thumbnail"),
    "MissingBase": ("block",),
    "OutlineElement": ("sprite_id", "new", "class_id", "width_code", "knot", "patch", "past"),
    "PoseElement": ("sprite_id", "knot"),
    "SpriteElement": ("sprite_id", "new", "class_id", "width_code", "margins", "knot", "core", "past"),
    "StepElement": ("sprite_id", "age_steps", "x", "y", "height_code"),
    "TextureElement": ("sprite_id", "version", "columns", "rows", "update"),
    "Thumbnail": ("part", "quality", "version", "symbols"),
    "ToneElement": ("age_steps", "gains"),
}
_TOLD = {"alarm", "still", "telemetry", "text"}
_PASSING = {"age_s", "happened_monotonic_s"}  # depends on when it was drawn
_PICTURES_EVERY_NS = 4_000_000_000  # drawing takes long, and pictures are not what is compared


@dataclass(frozen=True, slots=True)
class Said:
    """What a capture says.

    Attributes:
        model: Hash of the artefact that is named by the sender.
        elements: How many of each kind there are, by the names of their classes.
        sha256: Of all elements, their times, and the background that they make.
        told: Alarms, stills, telemetry and text.
        pictures: How many pictures were drawn of it.
        payloads_damaged: Payloads that nobody understood.
    """

    model: str
    elements: Mapping[str, int]
    sha256: str
    told: list[Mapping[str, str | int | float | None]]
    pictures: int
    payloads_damaged: int


class _Notes:
    """A sink that keeps what is told, and counts pictures that show something."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, str | int | float | None]] = []
        self.pictures = 0

    def on_picture(self, picture: Picture) -> None:
        self.pictures += int(picture.pixels.std() > 5)

    def on_event(self, event: Event) -> None:
        if event.kind in _TOLD:
            fields = {name: value for name, value in event.fields.items() if name not in _PASSING}
            self.told.append({"kind": event.kind, **fields})

    def close(self) -> None:
        """Nothing to release."""


def frozen_key(path: Path) -> MasterKey | SenderKey:
    """Read a key that everybody may read, as it is in a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / path.name
        own.write_bytes(path.read_bytes())
        own.chmod(0o600)
        return read_key(own)


def what_it_says(capture: Path, key: MasterKey | SenderKey | None) -> Said:
    """Receive a capture, twice: what its payloads hold, and what the receiver makes of them."""
    events = list(read_capture(capture))
    model, elements, sha256 = _elements(events, key)
    notes = _Notes()
    slow = [
        replace(event, picture_interval_ns=_PICTURES_EVERY_NS) if isinstance(event, CaptureHeader) else event
        for event in events
    ]
    damaged = sum(run.payloads_damaged for run in replay(slow, [notes], key=key))
    return Said(model, elements, sha256, notes.told, notes.pictures, damaged)


def _elements(events: list[CaptureEvent], key: MasterKey | SenderKey | None) -> tuple[str, Mapping[str, int], str]:
    header = events[0]
    assert isinstance(header, CaptureHeader)
    link = ReplayLink.from_header(header, ReplayPort("capture"), keyring=Keyring(key))
    digest, counts, model = hashlib.sha256(), Counter[str](), ""
    scene, syntax = None, None
    for event in events:
        if not isinstance(event, CapturedCodeword):
            continue
        for received in link.receive_captured(event, event.arrival_ns):
            if scene is None or syntax is None:
                context = received.context
                codec = load_scene_codec(find_artefact(hash_prefix=context.model_hash.hex()))
                model = codec.artefact.hash
                scene = Scene(context.width_px, context.height_px, codec.entropy.groups)
                syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, context.width_px, context.height_px)
            if received.packet.kind is PacketKind.SCENE:
                digest.update(str(received.stamp_ns).encode())
                for element in syntax.read(received.packet.payload, scene.background, scene.mosaics):
                    digest.update(repr(_plain(element)).encode())
                    counts[type(element).__name__] += 1
                    apply_element(scene, element, received.stamp_ns)
    for surface in () if scene is None else scene.background.scales:
        for array in (surface.values, surface.level, surface.quality):
            digest.update(array.astype("<i4").tobytes())
    return model, dict(sorted(counts.items())), digest.hexdigest()


def _plain(value: Any) -> Any:
    """Return what a value says in plain integers, tuples and names."""
    if isinstance(value, np.ndarray):
        return value.astype(int).tolist()
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    name = type(value).__name__
    if name in _ATTRIBUTES:
        return name, [_plain(getattr(value, attribute)) for attribute in _ATTRIBUTES[name]]
    return None if value is None else int(value)
