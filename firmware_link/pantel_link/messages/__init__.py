"""Small messages that share the link with the pictures: alarms, telemetry, and lines of text."""

from pantel_link.messages.alarm import ALARM_NUMBERS, Alarm
from pantel_link.messages.telemetry import Telemetry
from pantel_link.messages.text import MAX_TEXT_PARTS, TextAssembler, TextPart, text_parts

__all__ = ["ALARM_NUMBERS", "MAX_TEXT_PARTS", "Alarm", "Telemetry", "TextAssembler", "TextPart", "text_parts"]
