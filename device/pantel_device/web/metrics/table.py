"""The metrics: names, types, labels and meanings, which docs/metrics.md shows. They change only with the changelog."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["BUILD", "EVENTS", "GROUPS", "LINE", "PAGE", "RECEIVER", "SENDER", "TELEMETRY", "Group", "Kind", "Metric"]


class Kind(StrEnum):
    """What may be done with the values."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: As it is exposed; of counters it ends in ``_total``.
        meaning: A sentence for people.
        source: What holds its value, by a name within the group.
        scale: By which that is multiplied.
    """

    name: str
    meaning: str
    source: str
    scale: float = 1.0

    @property
    def kind(self) -> Kind:
        """Its type."""
        return Kind.COUNTER if self.name.endswith("_total") else Kind.GAUGE


@dataclass(frozen=True, slots=True)
class Group:
    """Metrics of one thing.

    Attributes:
        labels: Which they all have.
        metrics: Them.
    """

    labels: tuple[str, ...]
    metrics: tuple[Metric, ...]


_OF_SENDER = ("callsign", "sender")

BUILD = Group(("version",), (Metric("pantel_build_info", "Always 1; the version that runs.", "build"),))
RECEIVER = Group(
    (),
    (
        Metric(
            "pantel_receiver_last_reading_timestamp_seconds",
            "When the receiver's loop has last told how it is.",
            "read",
        ),
        Metric("pantel_receiver_payloads_damaged_total", "Payloads of good packets that make no sense.", "damaged"),
        Metric("pantel_receiver_senders", "Senders that are taken.", "senders"),
        Metric(
            "pantel_receiver_senders_unlisted",
            "Those among them not told by name: they have told nothing, or too many new ones have come.",
            "unlisted",
        ),
    ),
)
EVENTS = Group(
    ("kind",),
    (Metric("pantel_receiver_events_total", "Events, but for the reports on links and senders.", "events"),),
)
LINE = Group(
    ("port",),
    (
        Metric("pantel_port_up", "Whether the port is there.", "up"),
        Metric("pantel_link_capacity_bytes_per_second", "What bitrate_bps allows.", "bitrate_bps", 1 / 8),
        Metric("pantel_link_received_bytes_total", "Octets received, noise included.", "wire_octets"),
        Metric("pantel_link_markers_total", "Sync markers found, true ones and imitations.", "markers"),
        Metric("pantel_link_codewords_corrected_total", "Codewords accepted or corrected.", "codewords_corrected"),
        Metric("pantel_link_codewords_failed_total", "Codewords beyond correction.", "codewords_failed"),
        Metric("pantel_link_packets_good_total", "Packets delivered.", "packets_good"),
        Metric("pantel_link_packets_lost_total", "Packets missing in the sequence.", "packets_lost"),
        Metric("pantel_link_packets_duplicate_total", "Packets that had been delivered before.", "packets_duplicate"),
        Metric(
            "pantel_link_packets_without_context_total",
            "Packets of senders that have not introduced themselves.",
            "packets_without_context",
        ),
        Metric("pantel_link_packets_replayed_total", "Recordings that were dropped.", "packets_replayed"),
        Metric("pantel_link_packets_rejected_total", "Packets with a wrong header or trailer.", "packets_rejected"),
        Metric("pantel_link_packets_flooded_total", "Packets dropped because too many came.", "packets_flooded"),
        Metric("pantel_link_codeword_bytes_total", "Octets of good and duplicate packets.", "good_bits", 1 / 8),
        Metric("pantel_link_bit_errors_total", "Wrong bits that were corrected in them.", "corrected_bits"),
    ),
)
SENDER = Group(
    _OF_SENDER,
    (
        Metric("pantel_sender_last_packet_timestamp_seconds", "When its newest packet arrived.", "heard"),
        Metric("pantel_sender_last_content_timestamp_seconds", "When its newest content was captured.", "content"),
        Metric("pantel_sender_packets_good_total", "Packets delivered.", "packets_good"),
        Metric("pantel_sender_packets_lost_total", "Packets missing in the sequence.", "packets_lost"),
        Metric("pantel_sender_packets_duplicate_total", "Packets that had been delivered before.", "packets_duplicate"),
        Metric("pantel_sender_codeword_bytes_total", "Octets of good and duplicate packets.", "good_bits", 1 / 8),
        Metric("pantel_sender_bit_errors_total", "Wrong bits that were corrected in them.", "corrected_bits"),
        Metric("pantel_sender_alarms_total", "How often something came into an alarm zone.", "alarms"),
        Metric("pantel_sender_stills_total", "Stills that arrived whole.", "stills"),
    ),
)
TELEMETRY = Group(
    _OF_SENDER,
    (
        Metric("pantel_sender_last_telemetry_timestamp_seconds", "When its newest telemetry came.", "told"),
        Metric("pantel_sender_battery_volts", "Voltage of its battery.", "battery_v"),
        Metric("pantel_sender_temperature_celsius", "Of the air.", "temperature_c"),
        Metric("pantel_sender_cpu_temperature_celsius", "Of its processor.", "cpu_temperature_c"),
        Metric("pantel_sender_uptime_seconds", "Since its machine started.", "uptime_s"),
        Metric("pantel_sender_disk_free_bytes", "Room left for what it keeps.", "disk_free_mib", 1 << 20),
        Metric("pantel_sender_latitude_degrees", "Where it is, WGS 84, north positive.", "latitude_deg"),
        Metric("pantel_sender_longitude_degrees", "Where it is, WGS 84, east positive.", "longitude_deg"),
        Metric("pantel_sender_altitude_meters", "Above the ellipsoid.", "altitude_m"),
    ),
)
PAGE = Group(
    (),
    (
        Metric("pantel_page_viewers", "Who watches now: browsers, and programs that read the stream.", "viewers"),
        Metric("pantel_page_pictures_total", "Pictures sent, to all together.", "pictures"),
    ),
)
GROUPS = (BUILD, RECEIVER, EVENTS, LINE, SENDER, TELEMETRY, PAGE)
