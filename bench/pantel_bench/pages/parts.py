"""The parts of report pages: tiles, tables, plots and pairs of pictures, as HTML that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.pages.line_plot import Curve, line_plot

__all__ = [
    "Still",
    "grid",
    "image",
    "make_still",
    "page",
    "pair",
    "plot",
    "quantity",
    "scientific",
    "table",
    "thousands",
    "tile",
]

_LOSSLESS_WEBP = (cv2.IMWRITE_WEBP_QUALITY, 101)  # above 100 means lossless


@dataclass(frozen=True, slots=True)
class Still:
    """A pair of pictures for the page.

    Attributes:
        time_s: Display instant [s].
        ms_ssim: How alike they are.
        source: WebP file.
        received: WebP file.
    """

    time_s: float
    ms_ssim: float
    source: bytes
    received: bytes


def make_still(time_s: float, ms_ssim: float, source: NDArray[np.uint8], received: NDArray[np.uint8]) -> Still:
    """Return a pair of pictures (H, W, 3) uint8, RGB, packed without loss."""
    return Still(time_s, ms_ssim, _webp(source), _webp(received))


def page(title: str, parts: Sequence[str]) -> bytes:
    """Return a page with the style of all reports.

    Args:
        title: In plain text.
        parts: What stands in its body, as HTML.
    """
    style = files("pantel_bench").joinpath("pages", "page.css").read_text()
    head = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style></head><body>",
    ]
    return "\n".join([*head, *parts, "</body></html>\n"]).encode()


def tile(value: float | None, decimals: int, unit: str, meaning: str) -> str:
    """Return a large figure with what it means; a dash for None."""
    figure = "-" if value is None else f"{value:.{decimals}f} <small>{escape(unit)}</small>"
    return f"<div class='tile'><b>{figure}</b><span>{escape(meaning)}</span></div>"


def image(file: bytes, kind: str, alt: str, *, css_class: str | None = None) -> str:
    """Return a picture file as a part of a page.

    Args:
        file: The file.
        kind: `png` or `webp`.
        alt: What it shows, in plain text.
        css_class: For the style of the page.
    """
    styled = f" class='{css_class}'" if css_class else ""
    return f"<img{styled} alt='{escape(alt)}' src='data:image/{kind};base64,{base64.b64encode(file).decode('ascii')}'>"


def pair(still: Still) -> str:
    """Return a source picture and the received one side by side."""
    images = "".join(
        image(file, "webp", f"{which} at {still.time_s:g} s")
        for which, file in (("Source", still.source), ("Received", still.received))
    )
    caption = f"<b>{still.time_s:g} s</b> · MS-SSIM {still.ms_ssim:.3f}"
    return f"<figure class='pair'><div>{images}</div><figcaption>{caption}</figcaption></figure>"


def plot(title: str, curves: Sequence[Curve], y_range: tuple[float, float]) -> str:
    """Return curves over the time of a run, with a title."""
    return (
        f"<div class='plot'><h3>{escape(title)}</h3>"
        f"{line_plot(curves, x_label='line time [s]', y_label=title, y_range=y_range)}</div>"
    )


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Return names and values, one a row."""
    body = "".join(f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{body}</table>"


def grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with headings; the first column names the rows, and the first row is ours."""
    head = "".join(f"<th scope='col'>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for name, *cells in rows
    )
    return f"<table class='grid-table'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def quantity(value: float | None, decimals: int, unit: str = "") -> str:
    """Return a value with its unit; a dash for None."""
    return "-" if value is None else f"{value:.{decimals}f} {unit}".rstrip()


def scientific(value: float | None) -> str:
    """Return a small number; a dash for None."""
    return "-" if value is None else f"{value:.1e}" if value else "0"


def thousands(value: int) -> str:
    """Return a number with thin spaces between its thousands."""
    return f"{value:,}".replace(",", "\u202f")


def _webp(pixels: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".webp", pixels[..., ::-1], _LOSSLESS_WEBP)[1].tobytes()
