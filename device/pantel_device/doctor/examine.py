"""The whole examination: which checks there are, each kept from harming or delaying the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Thread

from pantel_device.doctor.camera import check_camera
from pantel_device.doctor.clock import check_clock
from pantel_device.doctor.disks import check_disks
from pantel_device.doctor.finding import Finding, Section, note, ok, problem, warning
from pantel_device.doctor.hardware import check_memory, check_needed_memory, check_power, check_temperature
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.models import check_models, check_named_models
from pantel_device.doctor.page import check_page
from pantel_device.doctor.plugins import check_plugins
from pantel_device.doctor.port import check_callsign, check_line, check_port
from pantel_device.doctor.publishing import check_broker, check_webhook
from pantel_device.doctor.service import check_lost_services, check_service
from pantel_device.doctor.setups import Mistaken, Setup
from pantel_device.doctor.software import check_libraries, check_python
from pantel_device.doctor.speed import check_speed
from pantel_device.doctor.state import check_key, check_outputs, check_state, check_tokens

__all__ = ["examine", "run_isolated"]

Findings = Iterable[Finding]

_OF_MACHINE: tuple[tuple[str, Callable[[Machine], Findings]], ...] = (
    ("python", check_python),
    ("libraries", check_libraries),
    ("models", check_models),
    ("plug-ins", check_plugins),
    ("clock", check_clock),
    ("temperature", check_temperature),
    ("power", check_power),
    ("memory", check_memory),
)
_OF_SETUP: tuple[tuple[str, Callable[[Machine, Setup], Findings]], ...] = (
    ("service", check_service),
    ("port", check_port),
    ("line rate", check_line),
    ("callsign", check_callsign),
    ("camera", check_camera),
    ("model", check_named_models),
    ("key", check_key),
    ("state", check_state),
    ("outputs", check_outputs),
    ("disk", check_disks),
    ("memory", check_needed_memory),
    ("page", check_page),
    ("token", check_tokens),
    ("mqtt", check_broker),
    ("webhook", check_webhook),
)

_WHOLE_S = 8.0  # the whole examination takes no longer; loading this takes a second or two besides
_CHECKS_S = 6.5  # a little more than a camera may take
_LEAST_TRIAL_S = 2.0


def examine(machine: Machine, setups: Sequence[Setup | Mistaken]) -> list[Section]:
    """Look at a machine and at what is set up on it.

    Args:
        machine: Which.
        setups: What is set up.

    Returns:
        A section of the machine, and one for each of what is set up.
    """
    began_s = time.monotonic()
    checks: list[tuple[int, str, Callable[[], Findings]]] = [
        (0, name, partial(check, machine)) for name, check in _OF_MACHINE
    ]
    checks.append((0, "service", partial(check_lost_services, machine, setups)))
    for number, setup in enumerate(setups, 1):
        if isinstance(setup, Setup):
            checks += [(number, name, partial(check, machine, setup)) for name, check in _OF_SETUP]
    answers = run_isolated([(name, check) for _, name, check in checks], _CHECKS_S)
    found: list[list[Finding]] = [[], *(_about(setup) for setup in setups)]
    for (number, _, _), answer in zip(checks, answers, strict=True):
        found[number] += answer
    # One after the other, when all else is done: each needs a core of its own.
    for number, setup in enumerate(setups, 1):
        left_s = _WHOLE_S - (time.monotonic() - began_s)
        if not isinstance(setup, Setup):
            continue
        if left_s < _LEAST_TRIAL_S:
            found[number].append(note("speed", "not measured: all else took too long", "ask for it alone by --config"))
            continue
        (answer,) = run_isolated([("speed", partial(check_speed, machine, setup, left_s))], left_s + 1)
        found[number] += answer
    names = ["machine", *(setup.name for setup in setups)]
    files = ["", *(str(setup.file or "") for setup in setups)]
    return [Section(name, file, tuple(findings)) for name, file, findings in zip(names, files, found, strict=True)]


def run_isolated(checks: Sequence[tuple[str, Callable[[], Findings]]], timeout_s: float) -> list[list[Finding]]:
    """Run checks beside each other; one that fails or hangs becomes a finding, and the others go on.

    Args:
        checks: Names and what to run.
        timeout_s: Longest time until an answer is given up [s]; its thread is left behind.

    Returns:
        The findings of each.
    """
    answers: list[list[Finding] | None] = [None] * len(checks)

    def answer(index: int, name: str, check: Callable[[], Findings]) -> None:
        try:
            answers[index] = list(check())
        except PermissionError as error:
            answers[index] = [note(name, f"you may not look at {error.filename}", "ask again with sudo")]
        except Exception as error:  # noqa: BLE001 - whatever it is, the other checks go on
            why = " ".join(f"{type(error).__name__}: {error}".split())
            answers[index] = [problem(name, f"the check failed ({why})", "report it, with what else is found here")]

    threads = [
        Thread(target=answer, args=(index, name, check), name=f"check {name}", daemon=True)
        for index, (name, check) in enumerate(checks)
    ]
    for thread in threads:
        thread.start()
    end_s = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(end_s - time.monotonic(), 0))
    late = [
        warning(name, f"no answer within {timeout_s:.0f} s", "look at it by hand, or ask again") for name, _ in checks
    ]
    return [[late[index]] if given is None else given for index, given in enumerate(answers)]


def _about(setup: Setup | Mistaken) -> list[Finding]:
    """Return what there is to say of the configuration itself."""
    if isinstance(setup, Mistaken):
        return [problem("configuration", setup.mistake, setup.advice)]
    if setup.file is None:
        return [ok("configuration", "the defaults")]
    return [ok("configuration", "is valid")]
