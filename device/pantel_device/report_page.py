"""Report pages: HTML for people that needs no other file."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files

__all__ = ["DASH", "figure", "report_page", "tile"]

DASH = "-"
"""Stands where there is no figure."""


def report_page(title: str, parts: Iterable[str]) -> bytes:
    """Return a page.

    Args:
        title: Plain text.
        parts: HTML of its body.
    """
    style = files("pantel_device").joinpath("report_page.css").read_text(encoding="utf-8")
    head = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style></head><body>",
    ]
    return "\n".join([*head, *parts, "</body></html>\n"]).encode(errors="replace")


def tile(value: str, unit: str, meaning: str) -> str:
    """Return a large figure with what it means."""
    return f"<div class='tile'><b>{value} <small>{unit}</small></b><span>{escape(meaning)}</span></div>"


def figure(value: float | None, form: str) -> str:
    """Return a figure in a format, a plain 0 for none of something, a dash where it is not known."""
    return DASH if value is None else f"{value:{form}}" if value else "0"
