"""What sender and receiver must agree on, bit by bit: scene, syntax, entropy model, range coder, containers."""

from pantel_codec.coding_table import CodingTable
from pantel_codec.entropy import EntropyModel, PrefixReader, Reader, Step, Visitor, Writer
from pantel_codec.errors import BitstreamError, CodecError, ContainerError, SymbolError
from pantel_codec.range_coder import RangeDecoder, RangeEncoder, make_decoder, make_encoder
from pantel_codec.scene import CELL_PX, Block, CellUpdate, Pose, Scene, Sprite, Surface, cells_across
from pantel_codec.still import (
    HEADER_BYTES,
    MAX_SIDE_PX,
    MIN_SIDE_PX,
    StillHeader,
    StillSymbols,
    read_still,
    write_still,
)
from pantel_codec.syntax import (
    CellElement,
    Element,
    ForgetElement,
    ObjectElement,
    PoseElement,
    Raster,
    SceneSyntax,
    apply_element,
)

__all__ = [
    "CELL_PX",
    "HEADER_BYTES",
    "MAX_SIDE_PX",
    "MIN_SIDE_PX",
    "BitstreamError",
    "Block",
    "CellElement",
    "CellUpdate",
    "CodecError",
    "CodingTable",
    "ContainerError",
    "Element",
    "EntropyModel",
    "ForgetElement",
    "ObjectElement",
    "Pose",
    "PoseElement",
    "PrefixReader",
    "RangeDecoder",
    "RangeEncoder",
    "Raster",
    "Reader",
    "Scene",
    "SceneSyntax",
    "Sprite",
    "Step",
    "StillHeader",
    "StillSymbols",
    "Surface",
    "SymbolError",
    "Visitor",
    "Writer",
    "apply_element",
    "cells_across",
    "make_decoder",
    "make_encoder",
    "read_still",
    "write_still",
]
