"""Sessions, limits, names and complaints, by clocks of the tests' own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.device.web.serving import TOKEN

from pantel_device.web.access.complaints import Complaints
from pantel_device.web.access.doorkeeper import group_of
from pantel_device.web.access.host_names import HostNames
from pantel_device.web.access.log_in_limiter import LogInLimiter
from pantel_device.web.access.sessions import Sessions

_DAY_S = 86_400


class _Time:
    """A clock that is moved by hand [s]."""

    def __init__(self, now_s: int = 1_800_000_000) -> None:
        self.now_s = now_s

    def __call__(self) -> int:
        return self.now_s


@pytest.fixture
def time_s() -> _Time:
    return _Time()


@pytest.fixture
def make(tmp_path: Path, time_s: _Time) -> Callable[..., Sessions]:
    """Return a function that makes what a daemon that starts anew has."""
    return lambda token=TOKEN: Sessions(token.encode(), tmp_path / "state" / "ended.json", time_s)


def test_a_session_lasts_while_it_is_used(make: Callable[..., Sessions], time_s: _Time) -> None:
    sessions = make()
    session = sessions.begin(secure=True)
    cookies = 0
    for _ in range(29):
        time_s.now_s += _DAY_S
        checked = sessions.check(sessions.cookie(session))
        assert checked == session
        if (renewed := sessions.renewed(session)) is not None:
            session, cookies = renewed, cookies + 1
    assert cookies == 29
    time_s.now_s += 2 * _DAY_S
    assert sessions.check(sessions.cookie(session)) is None  # 30 days are the end, used or not


def test_a_session_that_nobody_uses_ends(make: Callable[..., Sessions], time_s: _Time) -> None:
    sessions = make()
    cookie = sessions.cookie(sessions.begin())
    time_s.now_s += 7 * _DAY_S
    assert sessions.check(cookie) is not None
    time_s.now_s += 1
    assert sessions.check(cookie) is None


def test_a_session_that_is_in_use_is_over_after_30_days(make: Callable[..., Sessions], time_s: _Time) -> None:
    sessions = make()
    watching, ended = sessions.begin(), sessions.begin()
    sessions.end(ended)
    time_s.now_s += 30 * _DAY_S
    assert (sessions.is_over(watching), sessions.is_over(ended)) == (False, True)  # who watches has no new cookie
    time_s.now_s += 1
    assert sessions.is_over(watching)


def test_a_fresh_cookie_need_not_be_renewed(make: Callable[..., Sessions]) -> None:
    sessions = make()
    assert sessions.renewed(sessions.begin()) is None


def test_a_clock_that_was_wrong_ends_no_session(make: Callable[..., Sessions], time_s: _Time) -> None:
    cookie = make().cookie(make().begin())
    time_s.now_s = 1000  # a Raspberry Pi without a clock, before the network is there
    assert make().check(cookie) is not None


def test_another_token_ends_all_sessions(make: Callable[..., Sessions]) -> None:
    cookie = make().cookie(make().begin())
    assert make().check(cookie) is not None
    assert make("another-token-0123").check(cookie) is None


def test_ended_sessions_stay_ended(make: Callable[..., Sessions], time_s: _Time, tmp_path: Path) -> None:
    sessions = make()
    session = sessions.begin()
    sessions.end(session)
    assert sessions.check(sessions.cookie(session)) is None
    assert make().check(sessions.cookie(session)) is None
    time_s.now_s += 31 * _DAY_S
    sessions.end(sessions.begin())
    assert len(json.loads((tmp_path / "state" / "ended.json").read_bytes())) == 1  # what is over anyway is forgotten


def test_a_damaged_file_of_ended_sessions_is_told(
    make: Callable[..., Sessions], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").mkdir()
    for damaged in ("[", "[1]", '{"a": null}'):
        (tmp_path / "state" / "ended.json").write_text(damaged)
        caplog.clear()
        sessions = make()
        assert "cannot read which sessions were ended" in caplog.text
        assert sessions.check(sessions.cookie(sessions.begin())) is not None


def test_where_nothing_can_be_kept_a_session_ends_until_the_restart(
    make: Callable[..., Sessions], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("a file in the way")
    sessions = make()
    session = sessions.begin()
    caplog.clear()
    sessions.end(session)
    assert "an ended session is not kept" in caplog.text
    assert sessions.check(sessions.cookie(session)) is None


_SESSIONS = Sessions(TOKEN.encode(), Path("/nonexistent/ended.json"), _Time())


@given(
    st.text(max_size=100) | st.from_regex(r"[A-Za-z0-9_-]{22}\.\d{10}\.\d{10}\.[01]\.[A-Za-z0-9_-]{43}", fullmatch=True)
)
def test_no_other_cookie_is_a_session(cookie: str) -> None:
    assert _SESSIONS.check(cookie) is None


def test_every_octet_of_a_cookie_counts() -> None:
    cookie = _SESSIONS.cookie(_SESSIONS.begin())
    for at in range(len(cookie)):
        assert _SESSIONS.check(cookie[:at] + chr(ord(cookie[at]) ^ 1) + cookie[at + 1 :]) is None


@given(st.binary(max_size=40))
def test_nothing_but_the_token_opens(token: bytes) -> None:
    assert _SESSIONS.opens(token) is (token == TOKEN.encode())


def test_who_is_wrong_waits_ever_longer(time_s: _Time) -> None:
    limiter = LogInLimiter(time_s)
    waited = []
    for _ in range(16):
        limiter.failed("192.0.2.1")
        waited.append(limiter.wait_s("192.0.2.1"))
        time_s.now_s += round(waited[-1])
    assert waited[:9] == [0, 0, 0, 0, 2, 4, 8, 16, 32]
    assert waited[-1] == 300
    assert limiter.wait_s("192.0.2.2") == 0


def test_the_right_token_and_time_forgive(time_s: _Time) -> None:
    limiter = LogInLimiter(time_s)
    for address in ("192.0.2.1", "192.0.2.2"):
        for _ in range(6):
            limiter.failed(address)
    limiter.succeeded("192.0.2.1")
    assert (limiter.wait_s("192.0.2.1"), limiter.wait_s("192.0.2.2")) == (0, 4)
    time_s.now_s += 901
    limiter.failed("192.0.2.2")
    assert limiter.wait_s("192.0.2.2") == 0


def test_who_has_many_addresses_waits_too(time_s: _Time) -> None:
    limiter = LogInLimiter(time_s)
    for number in range(5000):
        limiter.failed(f"10.0.{number // 250}.{number % 250}")
    assert limiter.wait_s("192.0.2.1") > 0
    other = LogInLimiter(time_s)
    for number in range(6):
        other.failed(f"2001:db8:1:2::{number}")  # of one network, so of one house
    assert other.wait_s("2001:db8:1:2:ffff::1") > 0
    assert other.wait_s("2001:db8:1:3::1") == 0


def test_who_was_right_does_not_wait_for_strangers(time_s: _Time) -> None:
    limiter = LogInLimiter(time_s)
    limiter.succeeded("192.0.2.1")
    limiter.succeeded("192.0.2.2")
    for number in range(5000):
        limiter.failed(f"10.0.{number // 250}.{number % 250}")
    limiter.failed("192.0.2.2")  # somebody guesses behind the same address
    assert (limiter.wait_s("192.0.2.1"), limiter.wait_s("192.0.2.2") > 0) == (0, True)
    time_s.now_s += 901
    assert limiter.wait_s("192.0.2.1") > 0


def test_what_counts_as_one_address() -> None:
    assert group_of("192.0.2.1") == group_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert group_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::"
    assert group_of("unknown") == "unknown"


@pytest.mark.parametrize(
    ("host", "connected_to", "served"),
    [
        ("localhost:8080", "127.0.0.1", True),
        ("LOCALHOST", "127.0.0.1", True),
        ("localhost.:8080", "127.0.0.1", True),
        ("127.0.0.1:9000", "127.0.0.1", True),
        ("[::1]:8080", "::1", True),
        ("192.168.1.5:8080", "192.168.1.5", True),
        ("192.168.1.5:8080", "::ffff:192.168.1.5", True),
        ("cam.example.org", "127.0.0.1", True),
        ("192.168.1.6:8080", "192.168.1.5", False),
        ("elsewhere.example", "127.0.0.1", False),
        ("localhost.elsewhere.example", "127.0.0.1", False),
        ("localhost:8080:1", "127.0.0.1", False),
        ("localhost:", "127.0.0.1", False),
        ("a@localhost", "127.0.0.1", False),
        ("[localhost]", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("0x7f000001", "127.0.0.1", False),
    ],
)
def test_names_of_this_machine(host: str, connected_to: str, *, served: bool) -> None:
    assert HostNames(["Cam.example.org"], port=8080, loopback=False).serves(host, connected_to) is served


@pytest.mark.parametrize("loopback", [True, False])
def test_under_its_name_of_mdns_others_find_it(monkeypatch: pytest.MonkeyPatch, *, loopback: bool) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "mast-pi")
    names = HostNames(port=8080, loopback=loopback)
    assert names.serves("mast-pi.local:8080", "127.0.0.1") is not loopback
    assert names.serves("mast-pi:8080", "127.0.0.1")


def test_who_names_it_has_the_name_of_mdns_on_loopback_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "mast-pi")
    assert HostNames(["mast-pi.local"], port=8080, loopback=True).serves("mast-pi.local", "127.0.0.1")


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:8080", "localhost:8080", True),
        ("http://localhost", "localhost", True),
        ("http://localhost:80", "localhost", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("https://cam.example.org", "127.0.0.1:8080", True),  # behind a proxy that changes Host
        ("http://cam.example.org", "127.0.0.1:8080", True),
        ("http://cam.example.org:8080", "127.0.0.1:8080", True),  # without the proxy
        ("https://cam.example.org:8443", "cam.example.org:8443", True),  # behind one that keeps Host
        ("https://cam.example.org:8443", "127.0.0.1:8080", False),
        ("http://cam.example.org:3000", "cam.example.org", False),  # another service of the same machine
        ("http://cam.example.org:443", "cam.example.org", False),
        ("ftp://cam.example.org:80", "cam.example.org", False),
        ("http://localhost:3000", "localhost:8080", False),
        ("http://127.0.0.1:8080", "localhost:8080", False),
        ("http://elsewhere.example", "localhost", False),
        ("file://", "localhost", False),
        ("null", "localhost", False),
        ("http://[", "localhost", False),
        ("http://localhost:99999", "localhost", False),
        ("", "localhost", False),
    ],
)
def test_pages_of_ours(origin: str, host: str, *, same: bool) -> None:
    assert HostNames(["cam.example.org"], port=8080, loopback=False).same_origin(origin, host) is same


@given(st.text(max_size=60), st.text(max_size=60))
def test_names_and_origins_may_be_anything(one: str, other: str) -> None:
    names = HostNames(port=8080, loopback=False)
    assert not names.serves(one + "\0", other)
    assert not names.same_origin(one + "\0", other + "\0")


def test_of_a_flood_a_few_lines_and_a_count(time_s: _Time, caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints(time_s)
    for number in range(1000):
        complaints.note("status 404", address="192.0.2.1", request=f"GET /{number}")
    assert len(caplog.messages) == 200
    complaints.settle()
    assert len(caplog.messages) == 200
    time_s.now_s += 10
    complaints.settle()
    complaints.settle()
    assert caplog.messages[200:] == ["refused more=800"]
    complaints.note("status 404", address="192.0.2.1")
    assert caplog.messages[-1] == 'refused address=192.0.2.1 reason="status 404" request=""'


@given(st.text(max_size=300))
def test_a_stranger_writes_no_line_of_his_own(text: str) -> None:
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "pantel_device.web.access.complaints.log.warning", lambda form, *values: lines.append(form % values)
        )
        Complaints(lambda: 0.0).note(text, address="192.0.2.1", request=text)
    (line,) = lines
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 350
    assert line.count('"') == 4
