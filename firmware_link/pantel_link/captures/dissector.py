"""Where the dissector for Wireshark lies."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DISSECTOR"]

DISSECTOR = Path(__file__).with_name("pantel.lua")
"""A Lua script that names every field of every packet in Wireshark and tshark; pantel_messages.lua, beside it, is its
other half."""
