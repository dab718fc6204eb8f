"""How it is written and read where the camera looks."""

from __future__ import annotations

from pantel_codec.camera import (
    MOSAICS,
    TURN_LIMIT,
    ZOOM_LIMIT,
    CameraElement,
    CameraPose,
    LinkElement,
    shift_limit_px,
)
from pantel_codec.coding_table import CodingTable
from pantel_codec.errors import SymbolError
from pantel_codec.syntax_fields import FieldReader, FieldWriter, peak

__all__ = ["read_camera", "read_link", "write_camera", "write_link"]

_ZOOMS = CodingTable.from_counts(peak(2 * ZOOM_LIMIT + 1, top=ZOOM_LIMIT, height=64, fall=6, least=4))
_TURNS = CodingTable.from_counts(peak(2 * TURN_LIMIT + 1, top=TURN_LIMIT, height=64, fall=6, least=3))


def write_camera(fields: FieldWriter, element: CameraElement, size_px: tuple[int, int]) -> None:
    """Write what a payload of a moving camera begins with.

    Raises:
        SymbolError: The pose is out of range.
    """
    fields.uniform(element.mosaic, MOSAICS)
    fields.uniform(int(element.pose is not None), 2)
    if element.pose is not None:
        fields.age(element.age_steps)
        _write_pose(fields, element.pose, size_px)


def read_camera(fields: FieldReader, size_px: tuple[int, int]) -> CameraElement:
    """Read what `write_camera` wrote."""
    mosaic = fields.uniform(MOSAICS)
    if not fields.uniform(2):
        return CameraElement(mosaic)
    age_steps = fields.age()
    return CameraElement(mosaic, age_steps, _read_pose(fields, size_px))


def write_link(fields: FieldWriter, element: LinkElement, size_px: tuple[int, int]) -> None:
    """Write how a mosaic lies in an older one.

    Raises:
        SymbolError: The pose is out of range.
    """
    fields.uniform(MOSAICS if element.parent is None else element.parent, MOSAICS + 1)
    _write_pose(fields, element.pose, size_px)


def read_link(fields: FieldReader, mosaic: int, size_px: tuple[int, int]) -> LinkElement:
    """Read what `write_link` wrote of the payload's mosaic."""
    parent = fields.uniform(MOSAICS + 1)
    return LinkElement(mosaic, None if parent == MOSAICS else parent, _read_pose(fields, size_px))


def _write_pose(fields: FieldWriter, pose: CameraPose, size_px: tuple[int, int]) -> None:
    limit_px = shift_limit_px(*size_px)
    for value in (pose.x, pose.y):
        fields.uniform(value + limit_px, 2 * limit_px + 1)
    if abs(pose.zoom) > ZOOM_LIMIT or abs(pose.turn) > TURN_LIMIT:
        raise SymbolError(f"{pose} lies too far from its mosaic")
    fields.symbol(pose.zoom + ZOOM_LIMIT, _ZOOMS)
    fields.symbol(pose.turn + TURN_LIMIT, _TURNS)


def _read_pose(fields: FieldReader, size_px: tuple[int, int]) -> CameraPose:
    limit_px = shift_limit_px(*size_px)
    x, y = (fields.uniform(2 * limit_px + 1) - limit_px for _ in range(2))
    zoom = fields.symbol(_ZOOMS) - ZOOM_LIMIT
    return CameraPose(x, y, zoom, fields.symbol(_TURNS) - TURN_LIMIT)
