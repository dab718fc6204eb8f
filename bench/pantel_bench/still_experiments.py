"""The log of experiments for people: what each reached beside the latest, and what that comes to in rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pantel_bench.errors import MetricError
from pantel_bench.metrics import METRICS, Metric, bd_rate_percent
from pantel_bench.pages.parts import image
from pantel_bench.plots import plot_curves
from pantel_bench.still_log import LogEntry

__all__ = ["EXPERIMENT_HEADINGS", "Experiment", "experiment_plots", "experiment_rows", "experiments_of"]

EXPERIMENT_HEADINGS = ("experiment", "model", "codec", "PSNR [dB]", "MS-SSIM", "rate at equal MS-SSIM")
_PSNR, _MS_SSIM = METRICS[:2]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One codec of ours in one entry of the log.

    Attributes:
        label: What was tried.
        model: Name of the artefact and the first digits of its hash.
        codec: Which of our views.
        entries: Its means, by falling rate.
    """

    label: str
    model: str
    codec: str
    entries: tuple[LogEntry, ...]

    def curve(self, metric: Metric) -> list[tuple[float, float]]:
        """Return the points (bpp, score) of a metric, by rising rate."""
        values = ((entry.bpp, getattr(entry, metric.key)) for entry in reversed(self.entries))
        return [(bpp, float(value)) for bpp, value in values if value is not None]


def experiments_of(log: Sequence[LogEntry], pictures: str) -> list[Experiment]:
    """Return the experiments over the same pictures, the oldest first; of those of one name the latest.

    Args:
        log: All entries, the oldest first.
        pictures: How the pictures were cut, and how many there were, as the log says it.
    """
    groups: dict[tuple[str, str, str], dict[float, LogEntry]] = {}
    for entry in log:
        if entry.pictures == pictures:
            groups.setdefault((entry.label, entry.model, entry.codec), {})[entry.target_bpp] = entry
    return [
        Experiment(*key, tuple(entries[rate] for rate in sorted(entries, reverse=True)))
        for key, entries in groups.items()
    ]


def experiment_rows(experiments: Sequence[Experiment]) -> list[tuple[str, ...]]:
    """Return the lines of a table under `EXPERIMENT_HEADINGS`.

    The last column is the rate that the latest experiment of a codec needs against each one (BD-rate).
    """
    latest = {experiment.codec: experiment for experiment in experiments}
    return [
        (
            experiment.label,
            experiment.model,
            experiment.codec,
            _scores(experiment, _PSNR),
            _scores(experiment, _MS_SSIM),
            _rate(experiment, latest[experiment.codec]),
        )
        for experiment in experiments
    ]


def experiment_plots(experiments: Sequence[Experiment], rates_bpp: Sequence[float]) -> list[str]:
    """Return an image of MS-SSIM over the rate for each codec, a curve for each experiment.

    Raises:
        PlotError: matplotlib is missing.
    """
    plots = []
    for codec in dict.fromkeys(experiment.codec for experiment in experiments):
        own = [experiment for experiment in experiments if experiment.codec == codec]
        curves = {f"{each.label} ({each.model})": each.curve(_MS_SSIM) for each in own if each.curve(_MS_SSIM)}
        if curves:
            label = f"{_MS_SSIM.label} of {codec}"
            png = plot_curves(curves, label, rates_bpp, list(curves)[-1:])
            plots.append(image(png, "png", f"{label} in each experiment"))
    return plots


def _scores(experiment: Experiment, metric: Metric) -> str:
    return " / ".join(f"{value:.{metric.decimals}f}" for _, value in reversed(experiment.curve(metric)))


def _rate(experiment: Experiment, latest: Experiment) -> str:
    """Return what the latest needs at equal quality."""
    if experiment is latest:
        return "latest"
    try:
        return f"{bd_rate_percent(experiment.curve(_MS_SSIM), latest.curve(_MS_SSIM)):+.1f} %"
    except MetricError:
        return "-"
