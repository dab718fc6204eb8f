"""What the page shows beside pictures: state, events, health."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pantel_device.receiving.senders import Senders
from pantel_device.receiving.sink import SenderName
from pantel_device.wall_clock import iso_utc, utc_now
from pantel_device.web.hub import News
from pantel_device.web.state import EventRings, LinkMeter
from pantel_models import View

__all__ = ["Abilities", "Facts"]

_DEFAULT_LIMIT, _HIGHEST_LIMIT = 100, 1000


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the page can offer.

    Attributes:
        ask: Whether masts can be asked for something.
        stills: Whether stills are kept.
        recordings: Whether there are recordings.
        log_out: Whether there is a session to end.
    """

    ask: bool
    stills: bool
    recordings: bool
    log_out: bool


class Facts:
    """Knows the state of the receiver.

    Args:
        senders: Those that are known.
        meter: Of the link.
        views: Those that can be shown, the default first.
        playout_delay_s: Time from capture to show [s].
        abilities: What the page can offer.
        now_ns: The receiver's monotonic clock.
    """

    def __init__(
        self,
        *,
        senders: Senders,
        meter: LinkMeter,
        views: tuple[View, ...],
        playout_delay_s: float,
        abilities: Abilities,
        now_ns: Callable[[], int],
    ) -> None:
        self._senders = senders
        self._meter = meter
        self._events = EventRings()
        self._heard_last: SenderName | None = None
        self._now_ns = now_ns
        self._constant = {
            "views": [str(view) for view in views],
            "playout_delay_s": playout_delay_s,
            "can": {
                "ask": abilities.ask,
                "stills": abilities.stills,
                "recordings": abilities.recordings,
                "log_out": abilities.log_out,
            },
        }
        self._version = version("pantel")

    def routes(self) -> list[BaseRoute]:
        """Return the addresses that are served here."""
        return [
            Route("/api/state", self._get_state),
            Route("/api/events", self._get_events),
            Route("/health", self._get_health),
        ]

    def knows(self, name: SenderName) -> bool:
        """Whether a sender has been heard."""
        return self._senders.has(name)

    def take(self, news: News) -> list[dict[str, Any]]:
        """Note events and reading.

        Returns:
            The events with their numbers.
        """
        events = []
        for record in news.events:  # before the reading, which was made after most of them
            self._senders.take_event(record)
            events.append(self._events.add(record))
        if news.reading is not None:
            self._senders.take_reading(news.reading)
            self._meter.take_reading(news.reading)
            self._heard_last = news.reading.heard_last
        return events

    def state(self) -> dict[str, Any]:
        """Return the state as the page reads it."""
        now_ns = self._now_ns()
        return {
            "type": "state",
            "version": self._version,
            "utc": iso_utc(utc_now()),
            "monotonic_s": round(now_ns / 1e9, 3),
            "heard_last": None if self._heard_last is None else str(self._heard_last),
            "senders": self._senders.to_json(now_ns),
            "link": self._meter.to_json(),
            **self._constant,
        }

    async def _get_state(self, _: Request) -> Response:
        return JSONResponse(self.state())

    async def _get_events(self, request: Request) -> Response:
        try:
            before = int(request.query_params["before"]) if "before" in request.query_params else None
            limit = int(request.query_params.get("limit", _DEFAULT_LIMIT))
        except ValueError:
            return JSONResponse({"error": "before and limit are numbers"}, 400)
        limit = min(max(limit, 0), _HIGHEST_LIMIT)
        events = self._events.newest(kind=request.query_params.get("kind"), before=before, limit=limit)
        return JSONResponse({"events": events})

    async def _get_health(self, _: Request) -> Response:
        age_s = self._senders.newest_packet_age_s(self._now_ns())
        return JSONResponse({"status": "ok", "newest_packet_age_s": age_s})
