"""Measures what a mast tells of itself: what the system knows, and what a file says."""

from __future__ import annotations

import json
import logging
import math
import shutil
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from pantel_link.messages import Telemetry

__all__ = ["TelemetryReader"]

log = logging.getLogger(__name__)

_UPTIME = Path("/proc/uptime")
_CPU = Path("/sys/class/thermal/thermal_zone0/temp")
_NAMES = frozenset(field.name for field in fields(Telemetry))


class TelemetryReader:
    """Reads uptime, free disk and the processor's temperature, and what other programs measure from a JSON file.

    Args:
        disk: A folder on the disk whose room counts.
        file: JSON with keys of `Telemetry`, rewritten by whoever measures them; None for none. What is wrong in it is
            logged once.
    """

    def __init__(self, disk: Path, file: Path | None = None) -> None:
        self._disk = disk
        self._file = file
        self._complained = False

    def __call__(self) -> Telemetry:
        """Return what is known now."""
        values: dict[str, float] = {}
        with suppress(OSError, ValueError, IndexError):
            values["uptime_s"] = float(_UPTIME.read_text().split()[0])
        with suppress(OSError, ValueError):
            values["cpu_temperature_c"] = int(_CPU.read_text()) / 1000
        with suppress(OSError):
            values["disk_free_mib"] = shutil.disk_usage(self._disk).free >> 20
        return Telemetry(**(values | self._measured()))

    def _measured(self) -> dict[str, float]:
        if self._file is None:
            return {}
        try:
            measured = _parse(self._file.read_text(encoding="utf-8"))
        except (AttributeError, OSError, TypeError, ValueError, RecursionError) as error:
            if not self._complained:
                log.warning("no telemetry from file=%s reason=%s", self._file, error)
            self._complained = True
            return {}
        self._complained = False
        return measured


def _parse(text: str) -> dict[str, float]:
    values = {name: float(value) for name, value in json.loads(text).items() if value is not None}
    unknown = set(values) - _NAMES
    if unknown:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}; known: {', '.join(sorted(_NAMES))}")
    return {name: value for name, value in values.items() if math.isfinite(value)}
