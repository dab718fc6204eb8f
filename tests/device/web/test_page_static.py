"""The page's own files: served by a list, without a word to anybody else, legible, and small enough to read."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from pantel_device.web.page_files import PageFiles

STATIC = Path(str(files("pantel_device.web") / "static"))
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
SOURCES = [path for path in FILES if path.suffix in {".css", ".html", ".js"}]
PAGE_FILES = PageFiles()
MOST_LINES = 400
LEGIBLE = 4.5  # WCAG 2.2, success criterion 1.4.3
ON = {
    "--ground": ("--ink", "--faint", "--accent", "--good", "--warn", "--bad"),
    "--card": ("--ink", "--faint", "--accent", "--good", "--warn", "--bad"),
    "--raised": ("--ink", "--faint", "--good", "--bad"),
    "--accent": ("--on-accent",),
    "--alarm-ground": ("--ink", "--faint", "--bad"),
    "--ink": ("--ground",),
}


def asked(name: str) -> Response:
    request = Request({"type": "http", "method": "GET", "path": f"/static/{name}", "headers": [], "app": Starlette()})
    return PAGE_FILES.response(name, request)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_of_the_page_is_served_as_what_it_is(path: Path) -> None:
    response = asked(path.relative_to(STATIC).as_posix())
    kinds = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json"}
    kinds |= {".svg": "image/svg+xml", ".webmanifest": "application/manifest+json"}
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == kinds[path.suffix]
    assert response.body == path.read_bytes()


@pytest.mark.parametrize(
    "name", ["", "../page.py", "texts", "texts/../index.html", "page_files.py", "/etc/passwd", "INDEX.HTML"]
)
def test_nothing_else_is(name: str) -> None:
    assert asked(name).status_code == 404


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]+|@import|url\(", text)


def test_pages_have_no_script_and_no_style_in_them() -> None:
    for path in STATIC.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text), path.name
        assert all(re.search(r"\bsrc=", tag) for tag in re.findall(r"<script[^>]*>", text)), path.name


def test_nothing_becomes_markup_that_came_over_the_air() -> None:
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text)


def test_all_that_a_page_asks_for_is_there() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        names = re.findall(r'(?:src|href)="/static/([^"#]+)"', text) + re.findall(r'from "\./([^"]+)"', text)
        assert not [name for name in names if not (STATIC / name).is_file()], path.name


def test_every_element_that_a_script_wants_is_there() -> None:
    pages = {name: (STATIC / name).read_text(encoding="utf-8") for name in ("index.html", "login.html")}
    ids = {name: set(re.findall(r'\bid="([^"]+)"', page)) for name, page in pages.items()}
    for path in STATIC.glob("*.js"):
        page = "login.html" if path.name == "login.js" else "index.html"
        wanted = set(re.findall(r'byId\("([^"]+)"\)', path.read_text(encoding="utf-8")))
        assert wanted <= ids[page], path.name


def test_every_icon_is_drawn() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    drawn = set(re.findall(r'<symbol id="icon-([^"]+)"', page))
    wanted = set(re.findall(r'"#icon-([^"]+)"', page))
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for form in (r'icon\("([\w-]+)"\)', r'icon: "([\w-]+)"', r'"#icon-([\w-]+)"'):
            wanted |= set(re.findall(form, text))
    assert wanted <= drawn


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_texts_are_legible_in_both_themes(theme: int) -> None:
    style = (STATIC / "page.css").read_text(encoding="utf-8")
    colours = {
        name: cast(str, values[theme])
        for name, *values in re.findall(r"(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    }
    faint = {
        (ink, ground): round(contrast(colours[ink], colours[ground]), 2)
        for ground, inks in ON.items()
        for ink in inks
        if contrast(colours[ink], colours[ground]) < LEGIBLE
    }
    assert faint == {}


def contrast(ink: str, ground: str) -> float:
    """Return the contrast ratio of two colours as WCAG defines it."""
    darker, lighter = sorted((luminance(ink), luminance(ground)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_black_on_white_has_the_most_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
