"""Pantel as a service: what systemd is told and asks for, and its units."""

from pantel_device.service.notify import Notifier
from pantel_device.service.session import ServiceSession, service_session
from pantel_device.service.supervisor import Health, Supervisor

__all__ = ["Health", "Notifier", "ServiceSession", "Supervisor", "service_session"]
