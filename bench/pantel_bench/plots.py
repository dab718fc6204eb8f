"""Rate-distortion plots; the one module that knows matplotlib (the extra ``pantel[bench]``)."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping, Sequence

from pantel_bench.errors import PlotError

__all__ = ["check_plots", "plot_curves"]


def check_plots() -> None:
    """Check before long work that plots can be drawn.

    Raises:
        PlotError: matplotlib is missing.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise PlotError("plots need matplotlib; install it with: pip install '.[bench]'")


def plot_curves(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    label: str,
    rates_bpp: Sequence[float],
    emphasized: Sequence[str],
) -> bytes:
    """Draw curves over the rate and return them as a PNG file.

    Args:
        curves: Points (bpp, score) by codec.
        label: Of the vertical axis.
        rates_bpp: Marked on the horizontal axis [bit/pixel].
        emphasized: Codecs drawn with thick lines; published ones are dashed.

    Raises:
        PlotError: matplotlib is missing.
    """
    check_plots()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for codec, points in curves.items():
        rates = [bpp for bpp, _ in points]
        values = [value for _, value in points]
        axes.plot(
            rates,
            values,
            label=codec,
            marker="o",
            markersize=4,
            linewidth=2.8 if codec in emphasized else 1.2,
            linestyle="--" if codec.endswith("(published)") else "-",
        )
    axes.set_xscale("log")
    axes.set_xticks(rates_bpp, [f"{rate:g}" for rate in rates_bpp])
    axes.minorticks_off()
    axes.set_xlabel("rate [bit/pixel]")
    axes.set_ylabel(label)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
