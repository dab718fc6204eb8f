"""What masts have to tell: the payloads of the product's own sender, of different scenes."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_bench.masts.settings import CALLSIGN, SIZE_PX
from pantel_device.cameras import open_camera
from pantel_device.observer import MotionDetector, Observer
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_device.sending.stream import stream_context
from pantel_link import LinkSender, PacketKind, memory_pair
from pantel_link.codeword import SentCodeword
from pantel_models import find_artefact, load_scene_codec

__all__ = ["Told", "encode_scene"]

_FPS = 10


@dataclass(frozen=True, slots=True)
class Told:
    """What one packet tells.

    Attributes:
        kind: What the payload is.
        payload: Of the packet.
    """

    kind: PacketKind
    payload: bytes


class _Notes:
    """Keeps what is sent, besides introductions: each mast makes its own."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def on_sent(self, codeword: SentCodeword) -> None:
        packet = codeword.packet
        if packet.kind is not PacketKind.IDENT:
            self.told.append(Told(packet.kind, packet.payload))


def encode_scene(seed: int, seconds: float, bitrate_bps: int) -> list[Told]:
    """Return what a sender tells of a test scene, in order.

    Args:
        seed: Of the scene.
        seconds: How much of it [s].
        bitrate_bps: Of the line.

    Raises:
        ManifestError: The model is damaged.
    """
    codec = load_scene_codec(find_artefact())
    notes = _Notes()
    near, far = memory_pair()
    link = LinkSender(
        stream_context(codec.artefact, callsign=CALLSIGN, epoch=0, size_px=SIZE_PX),
        now_ns=0,
        bitrate_bps=bitrate_bps,
        listener=notes,
    )
    sender = Sender(
        camera=open_camera(f"test:{seed}", SIZE_PX, _FPS),
        observer=Observer(MotionDetector()),
        encoder=SceneEncoder(codec, SIZE_PX),
        link=link,
        port=near,
    )
    now_ns = 0
    while now_ns < seconds * 1e9:
        now_ns = sender.advance(now_ns)
        far.discard_input()
    return notes.told
