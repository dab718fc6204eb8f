"""What sender and receiver must agree on bit by bit: scene, syntax, entropy model, range coder, container."""

from pantel_codec.coding_table import CodingTable
from pantel_codec.elements import (
    CellElement,
    Element,
    ForgetElement,
    ObjectElement,
    PoseElement,
    Raster,
    apply_element,
)
from pantel_codec.entropy import SYMBOL_LIMIT, EntropyModel, Step, Visitor
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
    still_overhead_bits,
    write_still,
)
from pantel_codec.symbol_coding import PrefixReader, Reader, Writer
from pantel_codec.syntax import SceneSyntax

__all__ = [
    "CELL_PX",
    "HEADER_BYTES",
    "MAX_SIDE_PX",
    "MIN_SIDE_PX",
    "SYMBOL_LIMIT",
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
    "still_overhead_bits",
    "write_still",
]
