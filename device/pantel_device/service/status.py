"""How the services of this machine are, as systemd, they themselves and the journal say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pantel_device.service import systemd
from pantel_device.service.systemd import STATE_PROPERTIES, JournalLine, UnitState
from pantel_device.service.units import Instance

__all__ = ["ServiceStatus", "service_status", "status_lines", "status_report"]

_ERRORS = 3
_CHANGED = "StateChangeTimestampMonotonic"


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """How one service is.

    Attributes:
        unit: Its name.
        active_state: ``active``, ``activating`` (it waits for something, or was just started), ``failed``, …
        sub_state: The same more exactly, such as ``running``.
        enabled: Whether it is started at boot.
        since_s: For how long it has been in this state [s]; None if it has never been started.
        restarts: How often it was started again, since it was last started by hand or at boot.
        result: Why it ended last, ``success`` if not by itself.
        status: What it says of itself.
        errors: The newest lines of this boot in which it complained, the newest last.
    """

    unit: str
    active_state: str
    sub_state: str
    enabled: bool
    since_s: float | None
    restarts: int
    result: str
    status: str
    errors: tuple[JournalLine, ...] = ()


def service_status(instance: Instance) -> ServiceStatus:
    """Return how a service is.

    Raises:
        CommandError: systemd or its journal does not answer.
    """
    values = systemd.show(instance.unit, *STATE_PROPERTIES, _CHANGED)
    state = UnitState.of(values)
    changed_us = int(values.get(_CHANGED) or 0)
    return ServiceStatus(
        unit=instance.unit,
        active_state=state.active,
        sub_state=state.phase,
        enabled=state.enabled,
        since_s=max(0.0, time.monotonic() - changed_us / 1e6) if changed_us else None,
        restarts=state.restarts,
        result=state.result,
        status=state.says,
        errors=tuple(systemd.error_lines(instance.unit, _ERRORS)),
    )


def status_lines(status: ServiceStatus) -> list[str]:
    """Return a service's status for people."""
    parts = [f"{status.active_state} ({status.sub_state})"]
    if status.since_s is not None:
        parts.append(f"for {_duration(status.since_s)}")
    details = [
        *([f"last result: {status.result}"] if status.result not in {"", "success"} else []),
        *([f"restarts: {status.restarts}"] if status.restarts else []),
        *([] if status.enabled else ["not started at boot"]),
    ]
    return [
        f"{status.unit.removesuffix('.service')}: {', '.join([' '.join(parts), *details])}",
        *([f"  says: {status.status}"] if status.status else []),
        *(f"  {line.utc:%Y-%m-%d %H:%M:%SZ} {line.message}" for line in status.errors),
    ]


def status_report(statuses: Sequence[ServiceStatus]) -> dict[str, object]:
    """Return the same for other programs; docs/reports.md explains the keys."""
    return {
        "services": [
            asdict(status)
            | {"errors": [{"utc": line.utc.isoformat(), "message": line.message} for line in status.errors]}
            for status in statuses
        ]
    }


def _duration(seconds: float) -> str:
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"
