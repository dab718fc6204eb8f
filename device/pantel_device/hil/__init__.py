"""The loopback test of a rig: known packets and a known still go out at one end, and what arrives is judged.

`Loopback` sends and measures, on any clock and any ports; `judge` compares the measurements with limits; the rest
writes them down. docs/rig-builders.md says how a rig is wired and what each case means.
"""

from pantel_device.hil.breaks import Break, BreakError, ShellSwitch, Switch
from pantel_device.hil.cases import Case, Limits, Outcome, judge
from pantel_device.hil.junit import to_junit
from pantel_device.hil.line import Ends, air_time_s
from pantel_device.hil.loopback import Loopback, LoopbackSettings
from pantel_device.hil.measurements import LineFigures, Measurements, RecoveryFigures, StillFigures
from pantel_device.hil.page import to_html
from pantel_device.hil.report import HilReport, RigSettings, to_json, to_table

__all__ = [
    "Break",
    "BreakError",
    "Case",
    "Ends",
    "HilReport",
    "Limits",
    "LineFigures",
    "Loopback",
    "LoopbackSettings",
    "Measurements",
    "Outcome",
    "RecoveryFigures",
    "RigSettings",
    "ShellSwitch",
    "StillFigures",
    "Switch",
    "air_time_s",
    "judge",
    "to_html",
    "to_json",
    "to_junit",
    "to_table",
]
