"""The results of the masts benchmark and their JSON form; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import asdict

from pantel_bench.masts.measure import MastsResult
from pantel_bench.masts.settings import SIZE_PX, MastsSettings
from pantel_models import find_artefact

__all__ = ["processor_share", "to_json"]


def processor_share(settings: MastsSettings, result: MastsResult) -> float:
    """Return how much of one processor core the receiver needs; below 1 it keeps up."""
    return result.received.cpu_s / settings.seconds


def to_json(settings: MastsSettings, result: MastsResult) -> bytes:
    """Return the results as a JSON file."""
    artefact = find_artefact()
    received = asdict(result.received)
    content = {
        "benchmark": "masts",
        "settings": {**asdict(settings), "size_px": SIZE_PX},
        "versions": {"pantel": importlib.metadata.version("pantel")},
        "model": artefact.name,
        "model_hash": artefact.hash,
        "packets_sent": result.packets_sent,
        "packets_received": received.pop("packets"),
        "packets_dropped": result.packets_dropped,
        "octets_sent": result.octets_sent,
        "octets_read": received.pop("octets"),
        "processor_share": processor_share(settings, result),
        **received,
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
