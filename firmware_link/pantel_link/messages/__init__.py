"""Small messages that share the link with the pictures: telemetry, and lines of text."""

from pantel_link.messages.telemetry import Telemetry
from pantel_link.messages.text import MAX_TEXT_PARTS, TextAssembler, TextPart, text_parts

__all__ = ["MAX_TEXT_PARTS", "Telemetry", "TextAssembler", "TextPart", "text_parts"]
