"""Whether the classes that an operator names are some that the detector tells: others would never be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pantel_device.command import UsageError
from pantel_device.config import SenderConfig
from pantel_device.observer.regions import UNKNOWN

__all__ = ["check_class_names"]

_MOST_NAMED = 30  # some detectors have hundreds


def check_class_names(config: SenderConfig, told: Sequence[str]) -> None:
    """Refuse zones and weights of classes that no object will ever have, because of a typing mistake or the detector.

    Args:
        config: What the operator has written.
        told: Classes of the detector; none without one.

    Raises:
        UsageError: A class is not among them; the line names its zone or option.
    """
    for zone in config.zones:
        _check(zone.classes, told, f"zone {zone.name!r}", "leave its classes out, which takes whatever moves")
    weighed = (name for name in config.class_weights if name != UNKNOWN)
    _check(weighed, told, "class_weights", f"weigh {UNKNOWN!r}, which is whatever moves")


def _check(names: Iterable[str], told: Sequence[str], place: str, without: str) -> None:
    """Refuse a name that is not told.

    Args:
        names: What to look for.
        told: Classes of the detector.
        place: Where the names stand.
        without: What to do if there is no detector.
    """
    for name in names:
        if not told:
            raise UsageError(f"{place} names the class {name!r}, but without a detector there are none; {without}")
        if name not in told:
            known = ", ".join([*told[:_MOST_NAMED], *(["…"] if len(told) > _MOST_NAMED else [])])
            raise UsageError(f"{place} names the class {name!r}, which the detector does not tell; it tells {known}")
