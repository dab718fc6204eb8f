"""The context of a stream, from what its sender is and which model it uses."""

from __future__ import annotations

from pantel_link import Security, StreamContext
from pantel_link.context import MODEL_HASH_OCTETS
from pantel_models import Artefact

__all__ = ["stream_context"]


def stream_context(
    artefact: Artefact,
    *,
    callsign: str,
    epoch: int,
    size_px: tuple[int, int],
    sender: int = 0,
    security: Security = Security.CHECKED,
) -> StreamContext:
    """Return what a sender announces of its stream.

    Args:
        artefact: The model that its payloads are made with.
        callsign: Of the operator.
        epoch: Boot epoch, new after every start.
        size_px: Width and height of the picture.
        sender: Number of the sender on its channel.
        security: What protects the packets.

    Raises:
        CallsignError: The callsign is malformed.
    """
    return StreamContext(
        sender=sender,
        callsign=callsign,
        epoch=epoch,
        model_hash=bytes.fromhex(artefact.hash)[:MODEL_HASH_OCTETS],
        width_px=size_px[0],
        height_px=size_px[1],
        security=security,
    )
