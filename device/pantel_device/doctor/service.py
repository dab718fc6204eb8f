"""The services: whether they run, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pantel_device.doctor.finding import Finding, note, ok, problem, warning
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.services import ServiceState, pantel_instances, read_service
from pantel_device.doctor.setups import Mistaken, Setup, unit_of
from pantel_device.service.units import CONFIG_DIR

__all__ = ["check_lost_services", "check_service"]

_CHECK = "service"


def check_service(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Say what systemd knows of the service of a setup."""
    unit = unit_of(machine, setup.file) if setup.file is not None else ""
    if not unit:
        if setup.file is not None:
            role = "send" if setup.role == "sender" else "receive"
            yield note(
                _CHECK,
                f"none: it runs as pantel {role} --config {setup.file}",
                f"for a service, move it to {CONFIG_DIR}/{setup.role}-NAME.toml, then sudo pantel service install",
            )
        return
    if setup.service is None:
        yield note(_CHECK, f"{unit} is not known to systemd", "sudo pantel service install")
        return
    yield from _judge(setup.service)


def check_lost_services(machine: Machine, known: Sequence[Setup | Mistaken]) -> Iterator[Finding]:
    """Look for services whose configuration is missing."""
    units = {unit_of(machine, setup.file) for setup in known if setup.file is not None}
    for instance in pantel_instances(machine):
        service = read_service(machine, instance.unit)
        if instance.unit in units or machine.path(instance.config).exists() or service is None:
            continue
        if service.enabled or service.active != "inactive":
            yield problem(
                _CHECK,
                f"{instance.unit} is {service.active}, but there is no {instance.config}",
                f"write it, or sudo systemctl disable --now {instance.unit}",
            )


def _judge(service: ServiceState) -> Iterator[Finding]:
    unit = service.unit
    log = f"journalctl -u {unit} -n 30 tells why"
    says = f": {service.says}" if service.says else ""
    if service.active == "failed" or service.phase == "auto-restart":
        how = f"{service.result}, exit code {service.exit_code}"
        again = f", {service.restarts} restarts" if service.restarts else ""
        yield problem(_CHECK, f"{unit} has failed ({how}{again}){says}", log)
    elif service.active == "activating" and service.restarts:
        yield problem(_CHECK, f"{unit} has failed, and starts again ({service.restarts} restarts){says}", log)
    elif service.active == "activating":
        yield warning(_CHECK, f"{unit} is starting{says}", f"ask again in a minute; {log}")
    elif service.is_up:
        if service.restarts:
            yield warning(_CHECK, f"{unit} is running, after {service.restarts} restarts{says}", log)
        else:
            yield ok(_CHECK, f"{unit} is running{says}")
        if not service.enabled:
            yield warning(_CHECK, f"{unit} does not start with the machine", f"sudo systemctl enable {unit}")
    elif service.enabled:
        yield problem(_CHECK, f"{unit} is stopped", f"sudo systemctl start {unit}")
    else:
        yield note(_CHECK, f"{unit} is not in use", f"sudo systemctl enable --now {unit}")
