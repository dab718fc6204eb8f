"""Errors of the benchmarks.

BenchError
 +-- PictureError   a picture file cannot be read or is too small; name another
 +-- WeightsError   the weights of a metric are not what it needs; get the right file
 +-- CacheError     a file that should hold results of peers holds something else; name another
 +-- VotesError     a file of votes cannot be read or written; name another
 +-- LogError       a log of benchmarks holds something else; name another
 +-- AnchorError    a table of published figures cannot be read
 +-- PlotError      matplotlib is missing
 +-- PeerError      a peer codec is missing or wrote what its format does not allow
 +-- LabelsError    pictures or labels of a detection set are missing or damaged; name other folders
 +-- MetricError    a metric was given pictures or curves that it cannot compare
 +-- ClusterError   a Dask cluster does not start or a replay on it fails; its message says where to look
 +-- ModemError     a modem program is missing or does not start; its message says what to do
 +-- DemoError      a process of the real-time demo failed; its message says why
 +-- ReplayError    the process that replays a capture failed; its message says why
 +-- ContractError  the codec under test broke its promise: over the budget, wrong size or incomplete
"""

from __future__ import annotations

__all__ = [
    "AnchorError",
    "BenchError",
    "CacheError",
    "ClusterError",
    "ContractError",
    "DemoError",
    "LabelsError",
    "LogError",
    "MetricError",
    "ModemError",
    "PeerError",
    "PictureError",
    "PlotError",
    "ReplayError",
    "VotesError",
    "WeightsError",
]


class BenchError(Exception):
    """Root of the benchmarks' errors; its text is one line for the user."""


class PictureError(BenchError):
    """A picture file cannot be read or is too small."""


class WeightsError(BenchError):
    """The weights of a metric are not what it needs."""


class CacheError(BenchError):
    """A file that should hold results of peers holds something else."""


class ClusterError(BenchError):
    """A Dask cluster does not start, or a replay on it fails."""


class VotesError(BenchError):
    """A file of votes cannot be read or written."""


class LogError(BenchError):
    """A log of benchmarks cannot be read or holds something else."""


class AnchorError(BenchError):
    """A table of published figures cannot be read."""


class PlotError(BenchError):
    """Plots cannot be drawn because matplotlib is missing."""


class PeerError(BenchError):
    """A peer codec is missing or wrote what its format does not allow."""


class LabelsError(BenchError):
    """Pictures or labels of a detection set are missing or damaged."""


class MetricError(BenchError):
    """A metric was given pictures or curves that it cannot compare."""


class DemoError(BenchError):
    """A process of the real-time demo failed."""


class ReplayError(BenchError):
    """The process that replays a capture failed."""


class ContractError(BenchError):
    """The codec under test broke its promise: over the budget, wrong size or incomplete."""


class ModemError(BenchError):
    """A modem program is missing or does not start."""
