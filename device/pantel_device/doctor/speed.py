"""How fast the machine is, for what a configuration asks of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from pantel_device.config import ReceiverConfig, SenderConfig
from pantel_device.doctor.finding import Finding, note, ok, problem, warning
from pantel_device.doctor.machine import TIMED_OUT, Machine
from pantel_device.doctor.models import names_plugin
from pantel_device.doctor.setups import Setup
from pantel_device.scene_encoding.contours.sketch_encoder import SKETCH_BELOW_BPS
from pantel_models import View

__all__ = ["check_speed"]

_CHECK = "speed"
_PICTURE_BUDGET_MS = 100.0  # ten pictures a second
_BUSY_ADVICE = "ask again when less is going on"


def check_speed(machine: Machine, setup: Setup, timeout_s: float) -> Iterator[Finding]:
    """Let a sender and a receiver work for two seconds, and compare with the time that they have.

    Args:
        machine: On which.
        setup: Whose settings count.
        timeout_s: Longest time that it may take, with the libraries' imports [s].
    """
    done = machine.python("-m", "pantel_device.doctor.speed_probe", *_arguments(machine, setup), timeout_s=timeout_s)
    if done.code == TIMED_OUT:
        yield note(_CHECK, f"not known: nothing could be measured within {timeout_s:.0f} s", _BUSY_ADVICE)
        return
    try:
        times_ms = json.loads(done.output.strip().rpartition("\n")[2])
    except ValueError:
        why = f"signal {-done.code}" if done.code < 0 else (done.errors.strip().splitlines() or ["nothing said"])[-1]
        yield problem(_CHECK, f"the trial of sender and receiver failed: {why}", "correct what else is found here")
        return
    if isinstance(setup.config, SenderConfig):
        budget_ms = 1000 / setup.config.fps
        advice = "set fps or size_px lower, or detector to none"
        yield _judge("a frame", times_ms["frame_ms"], budget_ms, f" at {setup.config.fps:g} a second", advice)
    else:
        advice = "leave the pictures to a faster machine, or let the sender send smaller ones"
        yield _judge("a picture", times_ms["picture_ms"], _PICTURE_BUDGET_MS, " at ten a second", advice)


def _arguments(machine: Machine, setup: Setup) -> list[str]:
    """Return what the probe is told; a receiver is tried with pictures of the usual size."""
    config = setup.config if isinstance(setup.config, SenderConfig) else SenderConfig.model_validate({})
    view = setup.config.view if isinstance(setup.config, ReceiverConfig) else View.PERCEPTUAL
    detector = config.detector
    if detector not in {"default", "none"} and not names_plugin(detector):
        detector = str(setup.place(machine, detector))
    sketch = config.mode == "sketch" or (config.mode == "auto" and config.bitrate_bps < SKETCH_BELOW_BPS)
    width, height = config.size_px
    return [str(width), str(height), str(config.fps), detector, "sketch" if sketch else "picture", view.value]


def _judge(what: str, took_ms: float | None, budget_ms: float, rate: str, advice: str) -> Finding:
    if took_ms is None:
        return note(_CHECK, f"not known: {what} took too long to measure several", _BUSY_ADVICE)
    found = f"{what} takes {took_ms:.3g} ms of the {budget_ms:.3g} ms that there are{rate}"
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    if busy:
        found += ", measured while the machine was busy"
    if took_ms <= budget_ms:
        return ok(_CHECK, found)
    return warning(_CHECK, f"{found}: too slow", f"{_BUSY_ADVICE}, or {advice}" if busy else advice)
