"""The tables of keys in docs/configuration.md."""

from __future__ import annotations

from pydantic import BaseModel

from pantel_device.config import ReceiverConfig, SenderConfig
from pantel_device.config.fields import default_text, meaning_of, values_text
from pantel_device.config.line import LineConfig
from pantel_device.reference.marked import with_marked

__all__ = ["table", "with_tables"]

_PARTS: dict[str, tuple[type[BaseModel], type[BaseModel] | None]] = {
    "both": (LineConfig, None),
    "sender": (SenderConfig, LineConfig),
    "receiver": (ReceiverConfig, LineConfig),
}
_BEGIN = "<!-- keys of {part}: make reference writes them -->"
_END = "<!-- end of keys -->"
_HEADINGS = ("| key | default | values | meaning |", "|---|---|---|---|")


def with_tables(text: str) -> str:
    """Return a page with its tables as the models have them; all else is as it was.

    Raises:
        ValueError: A table's place is not marked.
    """
    for part in _PARTS:
        text = with_marked(text, _BEGIN.format(part=part), _END, table(part))
    return text


def table(part: str) -> str:
    """Return the table of ``both`` ends, the ``sender`` or the ``receiver``."""
    model, without = _PARTS[part]
    rows = list(_HEADINGS)
    for key, field in model.model_fields.items():
        if without is None or key not in without.model_fields:
            default = default_text(field, symbolic=True)
            shown = default if default in {"empty", "none"} else f"`{default}`"
            cells = (f"`{key}`", shown, values_text(model, key), meaning_of(field))
            rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"
