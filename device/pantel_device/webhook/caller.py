"""The thread that posts alarms, so that the receiver's loop never waits for a server."""

from __future__ import annotations

import logging
import threading

from pantel_device.publishing.alarm_queue import AlarmQueue
from pantel_device.publishing.outage import Outage
from pantel_device.service.back_off import Failures
from pantel_device.webhook.post import Outcome, Webhook, post

__all__ = ["WebhookCaller"]

log = logging.getLogger(__name__)

_CLOSING_S = 3.0
_SETTLE_S = 1.0


class WebhookCaller:
    """Posts the alarms of a queue one after the other, again and again until each has been taken.

    Args:
        webhook: Where to.
        alarms: What waits.

    Attributes:
        refused: Alarms that the server did not want.
    """

    def __init__(self, webhook: Webhook, alarms: AlarmQueue) -> None:
        self.refused = 0
        self._webhook = webhook
        self._alarms = alarms
        self._stop = threading.Event()
        self._outage = Outage(f"webhook {webhook.server}")
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; what has not been taken waits on the disk for the next start."""
        self._stop.set()
        self._alarms.came.set()
        self._thread.join(_CLOSING_S)
        self._alarms.close()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._alarms.came.clear()
            self._alarms.settle()
            try:
                failures = 0 if self._forward() else failures + 1
            except Exception:
                log.exception("webhook failed")
                failures += 1
            if failures:
                self._stop.wait(Failures(failures).delay_s)
            elif not len(self._alarms):
                self._alarms.came.wait(_SETTLE_S)

    def _forward(self) -> bool:
        """Post the alarm that waits longest, if there is one; return whether all is well."""
        alarm = self._alarms.first()
        if alarm is None:
            return True
        answer = post(self._webhook, alarm.body, alarm.alarm_id)
        if answer.outcome is Outcome.FAILED:
            self._outage.begin(answer.reason)
            return False
        self._outage.end()
        if answer.outcome is Outcome.REFUSED:
            self.refused += 1
            log.error("webhook refuses an alarm id=%s reason=%s; it is dropped", alarm.alarm_id, answer.reason)
        self._alarms.remove(alarm)
        return True
