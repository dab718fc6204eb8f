"""What the page says: the same in both languages, and nothing that is missing."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from pantel_device.observer.coco import COCO_CLASSES

STATIC = files("pantel_device.web") / "static"
LANGUAGES = ("en", "zh")
SCRIPTS = {file.name: file.read_text(encoding="utf-8") for file in STATIC.iterdir() if file.name.endswith(".js")}
PAGES = {file.name: file.read_text(encoding="utf-8") for file in STATIC.iterdir() if file.name.endswith(".html")}

# Keys that scripts put together: what stands for the part in braces.
PARTS = {
    "status": ("connecting", "live", "lost", "full", "fallback", "paused"),
    "theme": ("system", "light", "dark"),
    "view": ("perceptual", "faithful"),
    "events": ("all", "alarms", "stills", "messages", "commands", "senders", "telemetry"),
    "link.signal_": ("good", "quiet", "bad"),
    "banner": ("lost", "port", "message", "silent", "quiet"),
    "unit": ("s", "min", "h", "d", "B", "kB", "MB", "GB"),
    "request": ("still", "watch"),
    "command": ("still", "watch", "line", "confirm"),
    "outcome": ("done", "on_trial", "refused", "rolled_back", "no_answer", "lapsed"),
    "event": ("sender_refused", "model_missing"),
    "class": COCO_CLASSES,
    "telemetry": (
        "battery_v", "temperature_c", "cpu_temperature_c", "uptime_s", "disk_free_mib", "latitude_deg",
        "longitude_deg", "altitude_m",
    ),
}  # fmt: skip
NOTICES = ("connecting", "lost", "full", "port", "nothing", "unheard", "message", "silent", "soon")


def texts_of(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((STATIC / "texts" / f"{language}.json").read_text(encoding="utf-8"))
    return texts


def used_keys() -> set[str]:
    """Return the keys that pages and scripts name, whole or put together."""
    keys = {key for page in PAGES.values() for key in re.findall(r'data-(?:text|label|title)="([^"]+)"', page)}
    for script in SCRIPTS.values():
        keys |= set(re.findall(r'\bt\(\s*"([\w.]+)"', script))
        keys |= {key for pair in re.findall(r'\bt\([^"`;]*\? "([\w.]+)" : "([\w.]+)"', script) for key in pair}
        keys |= set(re.findall(r'\btell\("(login\.\w+)"', script))
    for prefix, parts in PARTS.items():
        keys |= {f"{prefix}{part}" if prefix.endswith("_") else f"{prefix}.{part}" for part in parts}
    keys |= {f"notice.{notice}.{part}" for notice in NOTICES for part in ("title", "text", "checks")}
    return keys | {f"answer.{what}.{outcome}" for what in PARTS["request"] for outcome in PARTS["outcome"]}


def test_both_languages_have_the_same_keys() -> None:
    english, chinese = map(texts_of, LANGUAGES)
    assert list(english) == list(chinese)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_is_used_exists(language: str) -> None:
    assert used_keys() - set(texts_of(language)) == set()


def test_every_text_is_used() -> None:
    named = {key for script in SCRIPTS.values() for key in re.findall(r'"([a-z_]+\.[\w.]+)"', script)}
    assert set(texts_of("en")) - used_keys() - named - {"title", "download", "cancel", "close"} == set()


def test_keys_that_are_put_together_are_known() -> None:
    prefixes = {found for script in SCRIPTS.values() for found in re.findall(r"(?:\bt|hasText)\(`([^`$]*)\$\{", script)}
    known = {prefix if prefix.endswith("_") else f"{prefix}." for prefix in PARTS} | {"notice.", "answer."}
    assert prefixes <= known


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_have_the_same_names_in_both_languages(language: str) -> None:
    english = texts_of("en")
    names = {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in texts_of(language).items()}
    assert names == {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in english.items()}


def test_each_language_is_what_it_says() -> None:
    chinese = texts_of("zh")
    foreign = {key for key, text in chinese.items() if text and not re.search(r"[\u4e00-\u9fff]|\{|Pantel", text)}
    assert foreign == {"language.other", "link.bps"}
    assert not any(
        re.search(r"[\u4e00-\u9fff]", text) for key, text in texts_of("en").items() if key != "language.other"
    )


def test_texts_stand_nowhere_else() -> None:
    for name, page in PAGES.items():
        body = re.sub(r"<noscript>.*?</noscript>|<title>.*?</title>|<dt>.*?</dt>", "", page, flags=re.DOTALL)
        words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"<[^>]*>", " ", body)))
        assert words <= {"Pantel"}, name
