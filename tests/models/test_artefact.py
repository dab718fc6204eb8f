"""The manifest and what it lists: whatever is wrong with them is one ManifestError of one line."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pantel_codec import Part, SceneSyntax
from pantel_models import (
    MANIFEST,
    Artefact,
    ManifestError,
    decode_still,
    find_artefact,
    list_artefacts,
    load_scene_codec,
    load_still_codec,
)
from pantel_models.thumbnails import Cutting

Replace = Callable[[str, bytes], Path]
BLACK = np.zeros((32, 32, 3), np.uint8)
NETWORKS = ["encoder", "faithful", "thumbnail_encoder", "thumbnail_generator"]


def assert_one_line(error: pytest.ExceptionInfo[ManifestError]) -> None:
    text = str(error.value)
    assert text
    assert "\n" not in text
    assert len(text) < 400


def packed(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_shipped_artefacts_are_whole_and_told_apart() -> None:
    artefacts = list_artefacts()
    assert len({artefact.tag for artefact in artefacts}) == len(artefacts)
    assert len({artefact.name for artefact in artefacts}) == len(artefacts)
    for artefact in artefacts:
        assert {"tables", *NETWORKS} <= set(artefact.files)
        for role in artefact.files:
            assert artefact.read(role)
        codec = load_scene_codec(artefact)
        assert SceneSyntax(codec.entropy, codec.thumbnails.model, 320, 240).read(b"") == []
        assert codec.entropy.qualities <= 32  # 5 bits in the syntax


def test_artefacts_are_found_by_name_tag_and_hash() -> None:
    default = list_artefacts()[0]
    assert find_artefact() is default
    assert find_artefact(name=default.name) is default
    assert find_artefact(tag=default.tag) is default
    assert find_artefact(hash_prefix=default.hash[:8]) is default
    assert load_scene_codec(default) is load_scene_codec(find_artefact(name=default.name))


@pytest.mark.parametrize(
    ("asked", "named"), [({"name": "nothing"}, "nothing"), ({"tag": 0}, "0x00"), ({"hash_prefix": "zz"}, "zz")]
)
def test_an_unknown_artefact_is_named_beside_the_known_ones(asked: dict[str, Any], named: str) -> None:
    default = list_artefacts()[0]
    if asked.get("tag") == default.tag:
        asked, named = {"tag": 1}, "0x01"
    with pytest.raises(ManifestError, match=named) as error:
        find_artefact(**asked)
    assert default.name in str(error.value)
    assert_one_line(error)


def test_a_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nowhere\.json") as error:
        list_artefacts(tmp_path / "nowhere.json")
    assert_one_line(error)


SHA = "ab" * 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "{}",
        '{"artefacts": 5}',
        '{"artefacts": [5]}',
        '{"artefacts": []}',
        '{"artefacts": [{"name": "x"}]}',
        '{"artefacts": [{"name": "x", "files": []}]}',
        '{"artefacts": [{"name": "x", "files": {"tables": {"name": "t"}}}]}',
        '{"artefacts": [{"name": "x", "files": {"tables": {"name": "t", "sha256": "ab"}}}]}',
        '{"artefacts": [{"name": "x", "files": {"tables": {"name": "t", "sha256": 7}}}]}',
        f'{{"artefacts": [{{"name": 3, "files": {{"tables": {{"name": "t", "sha256": "{SHA}"}}}}}}]}}',
        f'{{"artefacts": [{{"name": "x", "files": {{"tables": {{"name": 5, "sha256": "{SHA}"}}}}}}]}}',
    ],
)
def test_a_damaged_manifest(tmp_path: Path, text: str) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(text)
    with pytest.raises(ManifestError) as error:
        list_artefacts(manifest)
    assert_one_line(error)


def test_a_manifest_that_is_no_text(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError):
        list_artefacts(manifest)


def test_a_missing_file(shipped_copy: Path) -> None:
    artefact = list_artefacts(shipped_copy)[0]
    (artefact.folder / artefact.files["tables"]).unlink()
    with pytest.raises(ManifestError, match="cannot be read") as error:
        load_still_codec(manifest=shipped_copy)
    assert_one_line(error)


@pytest.mark.parametrize("role", ["tables", *NETWORKS])
def test_a_file_that_differs_from_the_manifest(shipped_copy: Path, role: str) -> None:
    data = load_still_codec().encode(BLACK, 100)
    artefact = list_artefacts(shipped_copy)[0]
    with (artefact.folder / artefact.files[role]).open("r+b") as file:
        file.seek(100)
        file.write(b"!")
    with pytest.raises(ManifestError, match="differs from the manifest") as error:
        run_all(shipped_copy, data)
    assert_one_line(error)


def run_all(manifest: Path, data: bytes) -> None:
    codec = load_still_codec(manifest=manifest)
    codec.encode(BLACK, 100)
    codec.decode(data)
    thumbnails = codec.codec.thumbnails
    latents = thumbnails.analyse(Cutting.from_pixels(BLACK, np.ones((32, 32), np.float32)), 1, 0)
    thumbnails.decode(thumbnails.quantize(latents, 1, Part.CORE, 4, 0)[0], None, 1, 0)


@pytest.mark.parametrize("role", NETWORKS)
@pytest.mark.parametrize("data", [b"", b"no model", bytes(1000)])
def test_an_onnx_file_that_is_none(replace_file: Replace, role: str, data: bytes) -> None:
    still = load_still_codec().encode(BLACK, 100)
    manifest = replace_file(role, data)
    with pytest.raises(ManifestError, match="onnxruntime") as error:
        run_all(manifest, still)
    assert_one_line(error)


@pytest.mark.parametrize("data", [b"", b"no tables", b"PK\x03\x04 no zip", b"\x93NUMPY"])
def test_tables_that_are_none(replace_file: Replace, data: bytes) -> None:
    with pytest.raises(ManifestError, match="tables of") as error:
        load_still_codec(manifest=replace_file("tables", data))
    assert_one_line(error)


@pytest.mark.parametrize(
    "name", ["groups", "steps", "sensitivity", "context1_head", "thumbnail_steps", "thumbnail_part"]
)
def test_tables_that_lack_something(replace_file: Replace, shipped_tables: dict[str, Any], name: str) -> None:
    arrays = {key: array for key, array in shipped_tables.items() if key != name}
    with pytest.raises(ManifestError, match=name) as error:
        load_still_codec(manifest=replace_file("tables", packed(arrays)))
    assert_one_line(error)


@pytest.mark.parametrize(
    "name",
    ["steps", "rate_weight", "sensitivity", "context0_bias"]
    + [f"thumbnail_{name}" for name in ("level", "slope", "part", "steps")],
)
def test_tables_that_do_not_fit(replace_file: Replace, shipped_tables: dict[str, Any], name: str) -> None:
    arrays = shipped_tables | {name: shipped_tables[name][:-1]}
    with pytest.raises(ManifestError, match=r"fit|different numbers") as error:
        load_still_codec(manifest=replace_file("tables", packed(arrays)))
    assert_one_line(error)


def test_a_file_of_a_model_that_is_not_installed(codec: Any) -> None:
    data = bytearray(codec.encode(BLACK, 100))
    data[3] ^= 0x55
    with pytest.raises(ManifestError, match="no model tag") as error:
        decode_still(bytes(data))
    assert_one_line(error)


def test_the_tag_is_the_first_octet_of_the_hash() -> None:
    assert Artefact("x", "c3" + "00" * 31, MANIFEST.parent, {}, {}).tag == 0xC3


@pytest.mark.parametrize("role", ["tables", *NETWORKS])
def test_a_check_reads_every_file(shipped_copy: Path, role: str) -> None:
    artefact = find_artefact(manifest=shipped_copy)
    artefact.check()
    path = artefact.folder / artefact.files[role]
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ManifestError, match="differs from the manifest"):
        artefact.check()
