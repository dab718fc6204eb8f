"""Blind pairs: who sees what, what is stored, and what it comes to."""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.commands.bench import COMMAND
from pantel_bench.errors import VotesError
from pantel_bench.metrics import Scores
from pantel_bench.mos.pairs import Ballot
from pantel_bench.mos.server import VotingServer
from pantel_bench.mos.votes import Vote, VoteFile, standings
from pantel_bench.still import StillRow
from pantel_device.command import UsageError

_NO_SCORES = Scores(None, None, None, None, None, None, None)
_CODECS = ("pantel-faithful", "avif", "jpeg")


def version(image: str, codec: str, level: int) -> StillRow:
    pixels = np.full((32, 48, 3), level, np.uint8)
    return StillRow(codec, image, 0.05, 9, 9, 0.05, None, _NO_SCORES, None, None, {}, pixels)


@pytest.fixture(scope="module")
def ballot() -> Ballot:
    rows = [version(image, codec, 10 * (i + 1)) for image in ("a", "b") for i, codec in enumerate(_CODECS)]
    rows.append(version("c", "avif", 90))  # that no other codec could encode
    sources = {image: np.full((32, 48, 3), 200, np.uint8) for image in "abc"}
    return Ballot(rows, sources, study="test", seed=3)


@pytest.fixture
def votes(tmp_path: Path) -> VoteFile:
    return VoteFile(tmp_path / "votes.jsonl")


@pytest.fixture
def address(ballot: Ballot, votes: VoteFile) -> Iterator[str]:
    with VotingServer(("127.0.0.1", 0), ballot, votes) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def ask(address: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Return status and content of the answer to a request."""
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, f"/{path}", body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def get(address: str, path: str) -> bytes:
    status, content = ask(address, "GET", path)
    assert status == 200
    return content


def post(address: str, content: Any) -> None:
    status, _ = ask(address, "POST", "vote", json.dumps(content).encode())
    assert status == 200


def test_every_codec_meets_every_other_once_for_each_picture(ballot: Ballot) -> None:
    assert len(ballot.pairs) == len({pair.key for pair in ballot.pairs}) == 2 * 3
    assert {pair.codecs for pair in ballot.pairs} == {
        ("avif", "jpeg"), ("avif", "pantel-faithful"), ("jpeg", "pantel-faithful")
    }  # fmt: skip


def test_people_see_the_pairs_in_orders_of_their_own(ballot: Ballot) -> None:
    people = [f"person {i}" for i in range(40)]
    orders = {tuple(ballot.order(person)) for person in people}
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len(orders) > 30
    assert ballot.order("x") == ballot.order("x")
    first_on_left = [ballot.sides(person, pair) == pair.codecs for person in people for pair in ballot.pairs]
    assert 0.4 < np.mean(first_on_left) < 0.6


def test_a_person_votes_to_the_end(address: str, votes: VoteFile) -> None:
    seen = []
    for number in range(6):
        now = json.loads(get(address, "next?person=Ann%20B"))
        assert (now["voted"], now["total"], now["done"]) == (number, 6, False)
        query = f"?pair={now['pair']}&person=Ann%20B"
        levels = {}
        for side in ("left", "source", "right"):
            data = np.frombuffer(get(address, f"picture/{side}{query}"), np.uint8)
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
            assert picture is not None
            levels[side] = int(picture[0, 0, 0])
        assert levels["source"] == 200
        post(address, {"person": "Ann B", "pair": now["pair"], "choice": "left", "seconds": 2.345})
        stored = votes.votes[-1]
        shown = {codec: 10 * (i + 1) for i, codec in enumerate(_CODECS)}
        assert (levels["left"], levels["right"]) == (shown[stored.left], shown[stored.right])
        assert (stored.winner, stored.seconds) == (stored.left, 2.35)
        seen.append(stored.pair)
    assert len(set(seen)) == 6
    assert json.loads(get(address, "next?person=Ann%20B"))["done"]
    assert json.loads(get(address, "next?person=Bob"))["voted"] == 0


def test_a_second_vote_on_a_pair_changes_nothing(address: str, votes: VoteFile) -> None:
    for choice in ("left", "right"):
        post(address, {"person": "Cy", "pair": 0, "choice": choice, "seconds": 1})
    assert [vote.choice for vote in votes.votes] == ["left"]


def test_no_name_of_a_codec_reaches_the_page(address: str) -> None:
    heard = get(address, "") + get(address, "next?person=D") + get(address, "picture/left?pair=1&person=D")
    assert not any(codec.encode() in heard for codec in (*_CODECS, "pantel"))
    assert b"http" not in get(address, "")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("next?person=", None),
        ("next", None),
        (f"next?person={'x' * 41}", None),
        ("picture/left?pair=77&person=E", None),
        ("picture/left?pair=x&person=E", None),
        ("picture/up?pair=0&person=E", None),
        ("vote", {"person": "E", "pair": 0, "choice": "both", "seconds": 1}),
        ("vote", {"person": "E", "pair": -1, "choice": "left", "seconds": 1}),
        ("vote", {"person": "E", "pair": 0, "choice": "left", "seconds": -1}),
        ("vote", {"person": "", "pair": 0, "choice": "left", "seconds": 1}),
        ("vote", b'{"person": "E", "pair": 0, "choice": "left", "seconds": NaN}'),
        ("vote", b"x" * 5000),
        ("elsewhere", {"person": "E", "pair": 0, "choice": "left", "seconds": 1}),
    ],
)
def test_nonsense_is_refused(address: str, votes: VoteFile, path: str, body: Any) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, content = ask(address, "GET", path) if body is None else ask(address, "POST", path, data)
    assert status in {400, 404}
    assert json.loads(content)["error"]
    assert not votes.votes


def cast(person: str, left: str, right: str, choice: str) -> Vote:
    return Vote.model_validate(
        {"time_utc": "2026-01-01T00:00:00+00:00", "study": "test", "person": person, "image": "a", "target_bpp": 0.05,
         "left": left, "right": right, "choice": choice, "seconds": 1}
    )  # fmt: skip


def test_votes_survive_and_add_up(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    for person, left, right, choice in (
        ("A", "pantel", "avif", "left"),
        ("B", "avif", "pantel", "right"),
        ("B", "pantel", "avif", "equal"),
        ("C", "avif", "pantel", "left"),
    ):
        VoteFile(path).add(cast(person, left, right, choice))
    votes = VoteFile(path).votes
    assert [vote.winner for vote in votes] == ["pantel", "pantel", None, "avif"]
    (found,) = standings(votes)
    assert (found.codec, found.against, found.votes, found.people) == ("avif", "pantel", 4, 3)
    assert found.preferred == pytest.approx(1.5 / 4)
    assert 0.05 < found.low < 0.375 < found.high < 0.85


def test_votes_of_another_study_are_others(tmp_path: Path, ballot: Ballot) -> None:
    votes = VoteFile(tmp_path / "votes.jsonl")
    pair = ballot.pairs[0]
    other = {"study": "older model", "image": pair.image, "left": pair.codecs[0], "right": pair.codecs[1]}
    votes.add(cast("A", "a", "b", "left").model_copy(update=other))
    votes.add(cast("A", *pair.codecs, "left"))
    with VotingServer(("127.0.0.1", 0), ballot, votes) as server:
        assert server.next_pair("A")["voted"] == 1
    assert [each.study for each in standings(votes.votes)] == ["older model", "test"]


def test_names_and_lines_may_be_odd(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    odd = cast("Zo\u00eb\u2028", "a", "b", "left")
    VoteFile(path).add(odd)
    path.write_text("\n" + path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    VoteFile(path).add(odd)
    assert VoteFile(path).votes == [odd, odd]


def test_a_vote_that_is_cut_off_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    VoteFile(path).add(cast("A", "a", "b", "left"))
    before = path.read_bytes()
    script = (
        "import resource, signal, sys; from pathlib import Path; from pantel_bench.mos.votes import VoteFile\n"
        "votes = VoteFile(Path(sys.argv[1])); signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 20},) * 2)\n"
        "votes.add(votes.votes[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
    assert "cannot write a vote" in done.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://elsewhere.example"}, {"Host": "elsewhere.example"}, {"Content-Length": "9" * 5000}]
)
def test_what_other_pages_send_is_refused(address: str, votes: VoteFile, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection(address, timeout=10)
    body = json.dumps({"person": "Evil", "pair": 0, "choice": "left", "seconds": 1})
    connection.request("POST", "/vote", body, headers)
    assert connection.getresponse().status == 400
    connection.close()
    assert not votes.votes


def test_the_interval_is_that_of_wilson() -> None:
    """Of 10 votes, 9 for one: 0.596 to 0.982 (a value found in tables)."""
    (found,) = standings([cast(str(i), "a", "b", "left" if i else "right") for i in range(10)])
    assert found.low == pytest.approx(0.5958, abs=1e-3)
    assert found.high == pytest.approx(0.9821, abs=1e-3)


@pytest.mark.parametrize("text", ["no json", "[]", '{"person": "x"}', "\xff"])
def test_a_file_of_something_else_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(VotesError, match=r"notes\.txt"):
        VoteFile(path)


def test_a_full_disk_leaves_the_file_as_it_was() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    votes = VoteFile.__new__(VoteFile)
    votes._path, votes.votes = full, []
    with pytest.raises(VotesError, match="No space left"):
        votes.add(cast("A", "a", "b", "left"))
    assert not votes.votes


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    COMMAND.add_arguments(parser)
    return COMMAND.run(parser.parse_args(["mos", *map(str, arguments)]))


def test_the_command_counts_votes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "votes.jsonl"
    VoteFile(path).add(cast("A", "pantel", "avif", "left"))
    assert run("--votes", path, "--json", tmp_path / "out.json", "--report", tmp_path / "out.html") == 0
    assert "<td>avif</td><td>pantel</td>" in (tmp_path / "out.html").read_text()
    assert "avif" in capsys.readouterr().out
    (standing,) = json.loads((tmp_path / "out.json").read_text())["standings"]
    assert standing["preferred"] == 0.0


@pytest.fixture
def photograph(tmp_path: Path, scene: NDArray[np.uint8]) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert cv2.imwrite(str(folder / "scene.png"), scene)
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--codecs", "avif"], "makes no pair"),
        (["--codecs", "avif,gif"], "no codec 'gif'"),
        (["--bpp", "0"], "is no rate"),
        (["--bpp", "0.0001", "--codecs", "avif,jpeg"], "raise --bpp"),
        (["--port", "99999"], "name another --host or --port"),
    ],
)
def test_mistakes_get_one_line(tmp_path: Path, photograph: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run("--votes", tmp_path / "v.jsonl", "--images", photograph, *arguments)


def test_the_command_serves_until_it_is_stopped(tmp_path: Path, photograph: Path) -> None:
    command: list[str | Path] = [
        "env", "--default-signal=INT",  # shells ignore it in what they start in the background
        Path(sys.executable).with_name("pantel"), "bench", "mos", "--votes", str(tmp_path / "v.jsonl"),
        "--images", str(photograph), "--codecs", "pantel-faithful,jpeg", "--bpp", "0.3", "--port", "0",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = line.split("http://")[1].split("/")[0]
        assert line.startswith("1 pairs at http://127.0.0.1:")
        post(address, {"person": "F", "pair": 0, "choice": "right", "seconds": 3})
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(timeout=20) == 0
    assert "jpeg" in rest
    assert len((tmp_path / "v.jsonl").read_text().splitlines()) == 1
