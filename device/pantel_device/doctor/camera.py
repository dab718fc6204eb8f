"""The camera of a sender: whether it is there, who uses it, and what a picture of it is like."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from pantel_device.config import SenderConfig
from pantel_device.doctor.finding import Finding, note, ok, problem, split_advice, warning
from pantel_device.doctor.holders import holders_of
from pantel_device.doctor.machine import TIMED_OUT, Machine
from pantel_device.doctor.setups import Setup

__all__ = ["CAMERA_TIMEOUT_S", "check_camera"]

_CHECK = "camera"
CAMERA_TIMEOUT_S = 6.0
"""Longest time until a camera must have given a picture [s]; USB cameras take one or two."""

_DARK_LEVEL = 8.0
_BLANK_CONTRAST = 2.0
_CABLE_ADVICE = "check its cable, or pull its plug and put it in again; a camera module with the power off"


def check_camera(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Look at the camera of a setup, and take a picture unless the daemon has it."""
    name = setup.text("camera")
    if not name:
        return
    scheme, _, argument = name.partition(":")
    if scheme == "test":
        yield note(_CHECK, f"{name} is a scene that needs no camera", "set camera to send what one sees")
        return
    if scheme == "v4l2":
        trouble = list(_device(machine, setup, argument))
        if trouble:
            yield from trouble
            return
    if scheme != "file" and setup.service is not None and setup.is_running:
        yield ok(_CHECK, f"{name} is left to {setup.service.unit}, which is running")
        return
    if scheme == "file":
        path = setup.place(machine, argument)
        if setup.hides(argument):
            yield problem(_CHECK, f"the service does not see {argument}", f"put it into {setup.config.state_dir}")
            return
        if path.exists() and not setup.account.may(path, os.R_OK):
            who = setup.account.name
            yield problem(_CHECK, f"{who} may not read {argument}", f"put it where {who} may read it")
            return
        name = f"file:{path}"
    yield _picture(machine, setup, name)


def _device(machine: Machine, setup: Setup, argument: str) -> Iterator[Finding]:
    """Say why a Video4Linux device cannot be looked at; nothing if it can."""
    name = f"/dev/video{argument or 0}" if argument.isdecimal() or not argument else argument
    path = setup.place(machine, name)
    if not path.exists():
        links = [machine.name(link) for link in machine.glob("/dev/v4l/by-id/*")]
        there = links or [machine.name(node) for node in machine.glob("/dev/video*")]
        advice = f"name one that is there: {', '.join(there)}" if there else "plug it in; there is no camera now"
        if not there and machine.is_raspberry_pi:
            advice = "plug it in; a module on the ribbon cable is called picamera2"
        yield problem(_CHECK, f"there is no {name}", advice)
        return
    if path.is_file() or path.is_dir():
        yield problem(_CHECK, f"{name} is no camera", f"name a device such as /dev/video0, or file:{name} for a clip")
        return
    if not setup.account.may(path, os.R_OK | os.W_OK):
        who = setup.account.name
        yield problem(
            _CHECK, f"{who} may not use {name}", f"sudo usermod -aG video {who}, and log in or start the service again"
        )
        return
    holders = holders_of(machine, path)
    own = [holder for holder in holders if setup.service is not None and holder.unit == setup.service.unit]
    if own:
        yield ok(_CHECK, f"{name} is in use by {own[0]}, as it should be")
    elif holders:
        yield problem(
            _CHECK, f"{name} is in use by {', '.join(dict.fromkeys(map(str, holders)))}", "end that program first"
        )


def _picture(machine: Machine, setup: Setup, name: str) -> Finding:
    width, height = setup.config.size_px if isinstance(setup.config, SenderConfig) else (320, 240)
    done = machine.python(
        "-m", "pantel_device.doctor.picture_probe", name, str(width), str(height), timeout_s=CAMERA_TIMEOUT_S
    )
    if done.code == TIMED_OUT:
        return problem(_CHECK, f"{name} gives no picture within {CAMERA_TIMEOUT_S:.0f} s", _CABLE_ADVICE)
    try:
        answer = json.loads(done.output.strip().rpartition("\n")[2])
    except ValueError:
        why = f"signal {-done.code}" if done.code < 0 else (done.errors.strip().splitlines() or ["nothing said"])[-1]
        return problem(_CHECK, f"{name}: its driver crashed ({why})", _CABLE_ADVICE)
    if "error" in answer:
        found, advice = split_advice(answer["error"])
        return problem(_CHECK, found, advice or _CABLE_ADVICE)
    found = " ".join(filter(None, [f"{name} gives pictures", answer["description"]]))
    if answer["contrast"] < _BLANK_CONTRAST or answer["level"] < _DARK_LEVEL:
        look = "dark" if answer["level"] < _DARK_LEVEL else "blank"
        return warning(_CHECK, f"{found}, but they are {look}", "take the cap off the lens, look for light, then again")
    return ok(_CHECK, found)
