"""Reads what somebody wants to watch out of a query or a message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pantel_device.receiving.sink import SenderName
from pantel_device.web.hub import Choice
from pantel_models import View

__all__ = ["ChoiceError", "choice_from_message", "choice_of", "sender_name"]

_AUTO = "auto"
_NAME = re.compile(r"([A-Z0-9/.-]{1,9})-(\d{1,2})", re.ASCII)


class ChoiceError(ValueError):
    """It names no sender or view; one line that says what to write."""


def sender_name(text: str) -> SenderName:
    """Return the sender of a name such as K1ABC-0.

    Raises:
        ChoiceError: It is no such name.
    """
    found = _NAME.fullmatch(text)
    if found is None:
        raise ChoiceError("a sender is written CALLSIGN-NUMBER, such as K1ABC-0")
    return SenderName(found[1], int(found[2]))


def choice_of(values: Mapping[str, str], default_view: View) -> Choice:
    """Return what a query chooses.

    Args:
        values: May have `sender` and `view`.
        default_view: For want of another.

    Raises:
        ChoiceError: One of them makes no sense.
    """
    sender = values.get("sender", _AUTO)
    view = values.get("view", str(default_view))
    try:
        return Choice(None if sender == _AUTO else sender_name(sender), View(view))
    except ValueError as error:
        if isinstance(error, ChoiceError):
            raise
        raise ChoiceError(f"a view is one of {', '.join(View)}") from error


def choice_from_message(text: str, default_view: View) -> Choice:
    """Return what a message of the page chooses.

    Raises:
        ChoiceError: It is no such message.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ChoiceError("it is no JSON") from error
    if not isinstance(values, dict) or values.get("type") != "choose":
        raise ChoiceError('a message is {"type": "choose", "sender": …, "view": …}')
    del values["type"]
    if not values.keys() <= {"sender", "view"} or not all(isinstance(value, str) for value in values.values()):
        raise ChoiceError("a choice has a sender and a view, both texts")
    return choice_of(values, default_view)
