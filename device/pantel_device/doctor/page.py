"""The receiver's page: whether it answers."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

from pantel_device.doctor.finding import Finding, note, ok, problem
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.setups import Setup

__all__ = ["check_page"]

_CHECK = "page"
_TIMEOUT_S = 3.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened to, and how to reach it from here
_LOCAL = ("localhost", "127.", "::1")


def check_page(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Ask for the page of a setup, if it has one."""
    del machine
    web = setup.text("web")
    if not web:
        return
    address = urlsplit(f"//{web}")  # which the configuration has checked
    host, number = address.hostname or "", address.port
    if number is None:
        return
    if not host.startswith(_LOCAL) and not setup.text("web_token_file"):
        yield problem(_CHECK, f"{web} can be reached from other machines, and there is no token", "set web_token_file")
    if number == 0:
        yield note(_CHECK, f"{web}: the log of the receiver tells the port number that it has got")
        return
    answer = _ask(_EVERYWHERE.get(host, host), number)
    if isinstance(answer, int) and answer < 500:
        if setup.is_running:
            yield ok(_CHECK, f"http://{web} answers")
        else:
            yield note(_CHECK, f"http://{web} answers: a receiver that was started by hand, or another program")
    elif setup.service is not None and not setup.is_running:
        yield note(_CHECK, f"http://{web} does not answer, because {setup.service.unit} is not running")
    elif setup.service is None:
        yield note(_CHECK, f"http://{web} does not answer; it does while pantel receive runs")
    else:
        why = f"answers with error {answer}" if isinstance(answer, int) else f"does not answer: {answer}"
        yield problem(_CHECK, f"http://{web} {why}", f"journalctl -u {setup.service.unit} -n 30 tells why")


def _ask(host: str, number: int) -> int | str:
    """Return the status of the answer, or why there is none."""
    connection = http.client.HTTPConnection(host, number, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
