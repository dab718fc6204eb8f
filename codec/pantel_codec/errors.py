"""Errors of the codec.

CodecError
 +-- BitstreamError  the bytes are damaged or noise: drop them and go on
 +-- ContainerError  the file is no .ptl, or a broken one: tell the user, it is the file
 +-- SymbolError     our own fault: a symbol or a table that cannot be coded (also a ValueError)
"""

__all__ = ["BitstreamError", "CodecError", "ContainerError", "SymbolError"]


class CodecError(Exception):
    """Anything that goes wrong in the codec."""


class BitstreamError(CodecError):
    """A payload contradicts its syntax: it was damaged on the way, or is noise. Drop it and go on."""


class ContainerError(CodecError):
    """A file is not a .ptl container, or is a broken one. The file is at fault, not the program."""


class SymbolError(CodecError, ValueError):
    """A symbol, table or bit field that cannot be coded. The calling code is at fault."""
