"""`pantel encode` and `pantel decode`: what works, and that nothing is left behind when it does not."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pantel_device.cli import main
from pantel_device.pictures import read_picture, without_colour

_Pantel = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pantel(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Pantel:
    """Run a command in an empty folder; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def _scene(width: int, height: int, *, channels: int = 3) -> NDArray[np.uint8]:
    noise = np.random.default_rng(5).integers(0, 256, (height, width, channels)).astype(np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.asarray(cv2.normalize(smooth, np.zeros_like(smooth), 0, 255, cv2.NORM_MINMAX), np.uint8)


def _write(name: str, pixels: NDArray[np.uint8]) -> None:
    assert cv2.imwrite(name, pixels)


def _decoded(name: str) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(name, cv2.IMREAD_UNCHANGED), np.uint8)


def test_there_and_back(pantel: _Pantel) -> None:
    _write("in.png", _scene(160, 96))
    code, out, err = pantel("encode", "in.png", "out.ptl", "--bytes", "300")
    size = Path("out.ptl").stat().st_size
    assert (code, err) == (0, "")
    assert out == f"out.ptl: {size} bytes, {8 * size / 160 / 96:.4f} bpp, 160x96 pixels, model scene-v4\n"
    assert 250 < size <= 300
    assert pantel("decode", "out.ptl", "nicer.jpg", "--view", "perceptual")[0] == 0
    code, out, err = pantel("decode", "out.ptl", "out.jpg")
    assert (code, err) == (0, "")
    assert out.startswith(f"out.jpg: 160x96 pixels from {size} bytes")
    assert _decoded("out.jpg").shape == _decoded("nicer.jpg").shape == (96, 160, 3)
    assert not np.array_equal(_decoded("out.jpg"), _decoded("nicer.jpg"))


@pytest.mark.parametrize(
    ("options", "largest"), [((), 480), (("--bpp", "0.03"), 288), (("--bytes", f"{10**400}"), 10_000)]
)
def test_rates(options: tuple[str, ...], largest: int, pantel: _Pantel) -> None:
    _write("in.png", _scene(320, 240))
    assert pantel("encode", "in.png", "out.ptl", *options)[0] == 0
    assert 0.9 * min(largest, 480) * (0.6 if options else 1) < Path("out.ptl").stat().st_size <= largest


def test_grey_stays_grey(pantel: _Pantel) -> None:
    _write("in.png", _scene(64, 48, channels=1))
    assert pantel("encode", "in.png", "out.ptl", "--bytes", "150")[0] == 0
    assert pantel("decode", "out.ptl", "out.png")[0] == 0
    assert _decoded("out.png").shape == (48, 64)


def test_large_pictures_are_scaled_only_when_asked(pantel: _Pantel) -> None:
    _write("in.png", _scene(1200, 600))
    code, _, err = pantel("encode", "in.png", "out.ptl")
    assert (code, Path("out.ptl").exists()) == (2, False)
    _assert_one_line(err, "in.png has 1200x600 pixels; sides of 32 to 1024 can be encoded: add --fit to scale it down")
    code, out, _ = pantel("encode", "in.png", "out.ptl", "--fit")
    assert code == 0
    assert "1024x512 pixels" in out


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("encode", "in.png", "out.ptl", "--bytes", "0"), 2, "is no size; write for example --bytes 400"),
        (("encode", "in.png", "out.ptl", "--bytes", "-7"), 2, "is no size; write for example --bytes 400"),
        (("encode", "in.png", "out.ptl", "--bytes", f"-{10**400}"), 2, "is no size; write for example --bytes 400"),
        (("encode", "in.png", "out.ptl", "--bytes", "5"), 2, "5 bytes are too few"),
        (("encode", "in.png", "out.ptl", "--bytes", "many"), 2, "invalid int value: 'many'"),
        (("encode", "in.png", "out.ptl", "--bpp", "0"), 2, "--bpp 0 is no rate"),
        (("encode", "in.png", "out.ptl", "--bpp", "nan"), 2, "--bpp nan is no rate"),
        (("encode", "in.png", "out.ptl", "--bpp", "1", "--bytes", "9"), 2, "not allowed with argument"),
        (("encode", "in.png", "out.jpg"), 2, "let its name end in .ptl"),
        (("encode", "in.png", "folder"), 2, "it is a folder"),
        (("encode", "in.png", "nowhere/out.ptl"), 2, "there is no folder"),
        (("encode", "in.png", "out.ptl", "--model", "scene-v0"), 1, "no model scene-v0 is installed"),
        (("encode", "text.png", "out.ptl"), 1, "text.png is not a picture that can be read"),
        (("encode", "half.png", "out.ptl"), 1, "half.png is not a picture that can be read"),
        (("encode", "empty.png", "out.ptl"), 1, "empty.png is not a picture that can be read"),
        (("encode", "missing.png", "out.ptl"), 1, "cannot read missing.png: No such file"),
        (("encode", "folder", "out.ptl"), 1, "cannot read folder: Is a directory"),
        (
            ("encode", "tiny.png", "out.ptl"),
            2,
            "tiny.png has 20x40 pixels; sides of 32 to 1024 can be encoded: enlarge",
        ),
        (("encode", "strip.png", "out.ptl", "--fit"), 2, "1024x20 pixels when scaled down"),
        (("decode", "in.ptl", "out.xyz"), 2, "cannot tell the picture format of out.xyz"),
        (("decode", "in.ptl", "out"), 2, "cannot tell the picture format of out"),
        (("decode", "in.ptl", "nowhere/out.png"), 2, "there is no folder"),
        (("decode", "missing.ptl", "out.png"), 1, "cannot read missing.ptl: No such file"),
        (("decode", "text.png", "out.png"), 1, "cannot decode text.png"),
        (("decode", "empty.png", "out.png"), 1, "cannot decode empty.png"),
        (("decode", "unknown.ptl", "out.png"), 1, "is installed"),
    ],
)
def test_bad_input(argv: tuple[str, ...], code: int, said: str, pantel: _Pantel) -> None:
    _write("in.png", _scene(64, 48))
    _write("tiny.png", _scene(20, 40))
    _write("strip.png", _scene(2048, 40))
    assert pantel("encode", "in.png", "in.ptl", "--bytes", "150")[0] == 0
    Path("folder").mkdir()
    Path("text.png").write_text("this is no picture, and no .ptl file either")
    Path("half.png").write_bytes(Path("in.png").read_bytes()[:500])
    Path("empty.png").touch()
    whole = Path("in.ptl").read_bytes()
    Path("unknown.ptl").write_bytes(whole[:3] + bytes([whole[3] ^ 0xFF]) + whole[4:])
    before = set(Path().iterdir())

    answered, out, err = pantel(*argv)

    assert (answered, out) == (code, "")
    _assert_one_line(err, said)
    assert set(Path().iterdir()) == before


def test_the_smallest_size_that_is_named_works(pantel: _Pantel) -> None:
    _write("in.png", _scene(64, 48))
    error = pantel("encode", "in.png", "out.ptl", "--bytes", "0")[2]
    smallest = re.findall(r"\d+", error)[-1]
    assert pantel("encode", "in.png", "out.ptl", "--bytes", smallest)[0] == 0


@pytest.mark.parametrize("name", ["half.png", "half.jpg", "damaged.png"])
def test_of_a_broken_picture_only_we_complain(name: str, tmp_path: Path) -> None:
    """libpng and libjpeg write to the process's standard error themselves, past Python's."""
    data = bytearray(cv2.imencode(Path(name).suffix, _scene(64, 48))[1].tobytes())
    if name.startswith("half"):
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 0xFF
    (tmp_path / name).write_bytes(data)
    program = Path(sys.executable).with_name("pantel")
    done = subprocess.run(
        [program, "encode", name, "out.ptl"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    _assert_one_line(done.stderr, f"{name} is not a picture that can be read")


def test_a_truncated_file_is_shown_with_a_warning(pantel: _Pantel) -> None:
    _write("in.png", _scene(128, 96))
    assert pantel("encode", "in.png", "in.ptl", "--bytes", "300")[0] == 0
    Path("in.ptl").write_bytes(Path("in.ptl").read_bytes()[:150])
    code, _, err = pantel("decode", "in.ptl", "out.png")
    assert code == 0
    assert err.startswith("pantel: warning: in.ptl: ")
    assert "cut off" in err
    assert err.count("\n") == 1
    assert _decoded("out.png").shape == (96, 128, 3)


def test_a_damaged_file_is_refused_or_shown_with_a_warning(pantel: _Pantel) -> None:
    """Damage that leaves too few bytes for what they seem to say cannot be told from a file that was cut off.

    The check has 8 bits, so one damage in 256 that is not found otherwise passes unnoticed.
    """
    _write("in.png", _scene(64, 48))
    assert pantel("encode", "in.png", "in.ptl", "--bytes", "150")[0] == 0
    assert pantel("decode", "in.ptl", "whole.png")[0] == 0
    whole = Path("in.ptl").read_bytes()
    rng = np.random.default_rng(3)
    refused = unnoticed = 0
    for bit in rng.permutation(8 * len(whole))[:40].tolist():
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        Path("damaged.ptl").write_bytes(damaged)
        code, _, err = pantel("decode", "damaged.ptl", "out.png")
        assert Path("out.png").exists() == (code == 0)
        if code == 1:
            refused += 1
            _assert_one_line(err, "")
            assert "internal error" not in err
        elif err:
            assert code == 0
            assert err.startswith("pantel: warning: damaged.ptl: ")
            assert err.count("\n") == 1
        else:
            unnoticed += not np.array_equal(_decoded("out.png"), _decoded("whole.png"))
        Path("out.png").unlink(missing_ok=True)
    assert refused
    assert unnoticed <= 2


def test_a_failed_write_keeps_the_older_file(pantel: _Pantel, monkeypatch: pytest.MonkeyPatch) -> None:
    _write("in.png", _scene(64, 48))
    Path("out.ptl").write_text("older")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    code, _, err = pantel("encode", "in.png", "out.ptl", "--bytes", "150")
    assert code == 1
    _assert_one_line(err, "out.ptl: No space left on device")
    assert Path("out.ptl").read_text() == "older"
    assert sorted(path.name for path in Path().iterdir()) == ["in.png", "out.ptl"]


def test_what_is_no_file_is_written_to_and_never_replaced(pantel: _Pantel) -> None:
    _write("in.png", _scene(64, 48))
    assert pantel("encode", "in.png", "/dev/null", "--bytes", "150")[0] == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(orientation: int, tmp_path: Path) -> None:
    pixels = _scene(64, 48)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(pixels).save(path, exif=exif)
    upright = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels[::-1].transpose(1, 0, 2),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: pixels[:, ::-1].transpose(1, 0, 2),
    }
    np.testing.assert_array_equal(read_picture(path), upright[orientation])


def test_every_kind_of_picture_becomes_rgb(tmp_path: Path) -> None:
    colour = _scene(64, 48)
    grey = np.ascontiguousarray(colour[..., 0])
    grey_planes = np.dstack([grey] * 3)

    def read(image: Image.Image, suffix: str = ".png", **options: object) -> NDArray[np.uint8]:
        file = io.BytesIO()
        image.save(file, Image.registered_extensions()[suffix], **options)
        path = tmp_path / f"picture{suffix}"
        path.write_bytes(file.getvalue())
        return read_picture(path)

    np.testing.assert_array_equal(read(Image.fromarray(colour)), colour)
    np.testing.assert_array_equal(read(Image.fromarray(grey)), grey_planes)
    np.testing.assert_array_equal(read(Image.fromarray(grey.astype(np.uint16) * 257)), grey_planes)
    np.testing.assert_array_equal(read(Image.fromarray((grey / 255).astype(np.float32)), ".tiff"), grey_planes)
    assert read(Image.fromarray(colour).convert("P")).shape == (48, 64, 3)
    assert read(Image.fromarray(colour).convert("CMYK"), ".jpg").shape == (48, 64, 3)
    transparent = np.dstack([colour, np.zeros((48, 64), np.uint8)])
    transparent[:, 32:, 3] = 255
    flat = read(Image.fromarray(transparent))
    np.testing.assert_array_equal(flat[:, 32:], colour[:, 32:])
    assert flat[:, :32].min() == 255


def test_a_picture_without_colour_has_equal_planes() -> None:
    grey = _scene(64, 48)[..., 0]
    planes = np.dstack([grey] * 3)
    np.testing.assert_array_equal(without_colour(planes), grey)
    planes[7, 9, 2] ^= 1
    assert without_colour(planes) is None


def test_samples_of_other_kinds_are_refused(tmp_path: Path, pantel: _Pantel) -> None:
    Image.fromarray(np.full((48, 64), 70_000, np.int32)).save(tmp_path / "wide.tiff")
    code, _, err = pantel("encode", "wide.tiff", "out.ptl")
    assert code == 1
    _assert_one_line(err, "wide.tiff has int32 samples")


def _assert_one_line(shown: str, said: str) -> None:
    assert shown.startswith("pantel: error: ")
    assert shown.count("\n") == 1
    assert said in shown


def test_a_region_of_interest_gets_the_bytes(pantel: _Pantel) -> None:
    source = _scene(256, 160)
    _write("in.png", source)
    region = np.s_[32:96, 128:208]
    errors = []
    for name, options in (("plain", ()), ("region", ("--roi", "128,32,80,64", "--roi-weight", "50"))):
        assert pantel("encode", "in.png", f"{name}.ptl", "--bytes", "200", *options)[0] == 0
        assert pantel("decode", f"{name}.ptl", f"{name}.png")[0] == 0
        errors.append(float(cv2.PSNR(_decoded(f"{name}.png")[region], source[region])))
    assert errors[1] > errors[0] + 1


def test_a_region_shrinks_with_its_picture(pantel: _Pantel) -> None:
    _write("in.png", _scene(1400, 700))
    assert pantel("encode", "in.png", "out.ptl", "--bytes", "900", "--fit", "--roi", "1200,500,150,150")[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--roi", "1,2,3"), "'1,2,3' is no region; write for example"),
        (("--roi", "500,0,9,9"), "the region 500,0,9,9 has no pixel of the picture of 64x48"),
        (("--roi", "0,0,9,9", "--roi-weight", "0"), "cannot count 0 times as much"),
    ],
)
def test_a_wrong_region_is_named(pantel: _Pantel, options: tuple[str, ...], message: str) -> None:
    _write("in.png", _scene(64, 48))
    code, _, err = pantel("encode", "in.png", "out.ptl", "--bytes", "200", *options)
    assert code == 2
    assert message in err
    assert not Path("out.ptl").exists()
