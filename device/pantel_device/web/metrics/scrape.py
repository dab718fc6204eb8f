"""What Prometheus fetches: the figures in its formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pantel_device.web.gallery import Gallery
from pantel_device.web.metrics.figures import Figures, LineFigures, SenderFigures, Stamp
from pantel_device.web.metrics.table import BUILD, EVENTS, LINE, PAGE, RECEIVER, SENDER, TELEMETRY, Group, Kind

__all__ = ["Scrape"]

_OPENMETRICS = "application/openmetrics-text"

_Row = tuple[tuple[str, ...], Mapping[str, float | None]]


class Scrape:
    """Serves the figures, read when somebody asks.

    Args:
        figures: Of the receiver.
        gallery: Knows who watches.
    """

    def __init__(self, figures: Figures, gallery: Gallery) -> None:
        self._registry = CollectorRegistry(auto_describe=False)  # of our own: that of the library is for all
        self._registry.register(_Figures(figures, gallery))
        ProcessCollector(registry=self._registry)

    def routes(self) -> list[BaseRoute]:
        """Return the addresses that are served here."""
        return [Route("/metrics", self._metrics)]

    async def _metrics(self, request: Request) -> Response:
        accepted = request.headers.get("accept", "").lower().split(",")
        openmetrics = any(each.partition(";")[0].strip() == _OPENMETRICS for each in accepted)
        encode, content_type = choose_encoder(_OPENMETRICS if openmetrics else "")  # never of what somebody sends
        return Response(encode(self._registry), headers={"Content-Type": content_type})


class _Figures(Collector):
    """Makes families of metrics out of the figures; all of the table, whether there are values or not."""

    def __init__(self, figures: Figures, gallery: Gallery) -> None:
        self._figures = figures
        self._gallery = gallery
        self._version = version("pantel")

    def collect(self) -> Iterator[Metric]:
        figures, senders = self._figures, self._figures.senders
        yield from _families(BUILD, [((self._version,), {"build": 1})])
        yield from _families(RECEIVER, [((), self._receiver(len(senders)))])
        yield from _families(EVENTS, [((kind,), {"events": count}) for kind, count in figures.events.items()])
        yield from _families(LINE, [((line.port,), _of_line(line)) for line in figures.lines])
        rows: list[_Row] = [((name.callsign, str(name.number)), _of_sender(of)) for name, of in senders.items()]
        yield from _families(SENDER, rows)
        yield from _families(TELEMETRY, rows)
        page = {"viewers": len(self._gallery.viewers), "pictures": self._gallery.pictures_sent}
        yield from _families(PAGE, [((), page)])

    def _receiver(self, listed: int) -> dict[str, float | None]:
        figures = self._figures
        return {
            "read": _utc_s(figures.read),
            "damaged": figures.payloads_damaged,
            "senders": listed + figures.senders_unlisted,
            "unlisted": figures.senders_unlisted,
        }


def _of_line(line: LineFigures) -> dict[str, float | None]:
    return {**line.counts.counts, "up": line.up, "bitrate_bps": line.bitrate_bps}


def _of_sender(sender: SenderFigures) -> dict[str, float | None]:
    return {
        **sender.telemetry,
        **sender.packets.counts,
        "heard": _utc_s(sender.heard),
        "content": _utc_s(sender.content),
        "told": _utc_s(sender.told),
        "alarms": sender.alarms,
        "stills": sender.stills,
    }


def _utc_s(stamp: Stamp | None) -> float | None:
    return None if stamp is None else round(stamp.utc_s, 3)


def _families(group: Group, rows: Iterable[_Row]) -> Iterator[Metric]:
    """Yield the metrics of a group.

    Args:
        group: Of the table.
        rows: Values of the labels, and of the sources; a gauge whose source has none, or None, has no sample.
    """
    rows = list(rows)
    for each in group.metrics:
        family_type = CounterMetricFamily if each.kind is Kind.COUNTER else GaugeMetricFamily
        family = family_type(each.name, each.meaning, labels=group.labels)
        for labels, values in rows:
            value = values.get(each.source, 0 if each.kind is Kind.COUNTER else None)
            if value is not None:
                family.add_metric(labels, value * each.scale)
        yield family
