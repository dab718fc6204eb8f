"""The receiver's core: streams come, restart and go wrong, and nothing that is received can stop it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
import pytest
from tests.album import Album
from tests.device.receiving.hearing import End, sent_octets

from pantel_codec import Background, Element, Knot, PoseElement, SceneSyntax, SpriteElement, Thumbnail, size_code
from pantel_device.receiving import receiver
from pantel_device.receiving.receiver import PLAYOUT_DELAY_NS
from pantel_device.receiving.sink import SenderName
from pantel_link import MasterKey, PacketKind, Security, StreamContext
from pantel_link.messages import Alarm, text_parts
from pantel_link.region import Region
from pantel_models import Artefact, SceneCodec, View, load_scene_codec

_S = 1_000_000_000
_SIZE_PX = (96, 64)
_CAPACITY_BYTES = 33


@pytest.fixture(scope="module")
def walker_payload(codec: SceneCodec, dress: Callable[..., Thumbnail]) -> bytes:
    """An object at (40, 32), which was 3 pixels farther west 0.3 s before."""
    codes = size_code(16), size_code(24)
    core = dress((250, 10, 10), codes)
    elements: list[Element] = [
        SpriteElement(5, True, 1, codes[0], (0, 0, 0, 0), Knot(0, 40, 32, codes[1]), core),
        PoseElement(5, Knot(3, 37, 32, codes[1])),
    ]
    return SceneSyntax(codec.entropy, codec.thumbnails.model, *_SIZE_PX).write(elements)


def test_a_sender_is_announced_once_and_its_picture_drawn(context: StreamContext, payload: bytes) -> None:
    end = End()
    end.hear(sent_octets(context, payload, payload), 3 * _S)
    end.receiver.advance(4 * _S)
    assert end.album.kinds == ["sender_heard"]
    assert end.album.events[0].fields["model"] == context.model_hash.hex()
    assert end.album.pictures[-1].pixels.shape == (64, 96, 3)
    assert end.album.pictures[-1].sender == SenderName("DK1AB", 0)


class _Watch(Album):
    """Wants the second sender in both views, and the third in one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[SenderName, tuple[bool, float]] = {}

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:
        self.asked[sender] = heard_last, silence_s
        return {2: (View.FAITHFUL, View.PERCEPTUAL), 3: (View.PERCEPTUAL,)}.get(sender.number, ())


def test_of_several_senders_the_one_heard_last_is_drawn_and_what_is_watched(
    context: StreamContext, payload: bytes
) -> None:
    watch = _Watch()
    end = End(watchers=[watch])
    for number in (1, 2, 3):
        end.hear(sent_octets(replace(context, sender=number), payload), number * 3 * _S)
    end.receiver.advance(10 * _S)

    def drawn(album: Album) -> list[tuple[int, View]]:
        return [(each.sender.number, each.view) for each in album.pictures if each.time_ns == 10 * _S]

    assert drawn(end.album) == [(3, View.FAITHFUL)]
    assert drawn(watch) == [(3, View.PERCEPTUAL), (2, View.FAITHFUL), (2, View.PERCEPTUAL)]
    assert watch.kinds == end.album.kinds == ["sender_heard"] * 3
    assert [(name.number, heard_last) for name, (heard_last, _) in watch.asked.items()] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert watch.asked[SenderName("DK1AB", 1)][1] > watch.asked[SenderName("DK1AB", 3)][1] > 0


def test_of_many_forgeries_the_last_are_told_a_few_at_a_time(context: StreamContext, payload: bytes) -> None:
    master = MasterKey(bytes(32))
    end = End(key=master)
    for number in range(40):
        end.hear(sent_octets(replace(context, sender=number), payload), (number + 1) * 3 * _S)
    told = [event.fields["sender"] for event in end.album.events if event.kind == "sender_refused"]
    assert told == list(range(40))  # also the last, though 16 others had been refused before
    crowd = End(key=master)
    crowd.receiver.advance(0)
    crowd.hear(b"".join(sent_octets(replace(context, sender=number), payload) for number in range(10)), _S)
    for turn in range(10, 50):
        crowd.receiver.advance(turn * _S // 10)
    assert 4 <= len([event for event in crowd.album.events if event.kind == "sender_refused"]) <= 6


def test_pictures_come_every_tenth_of_a_second_whatever_happens(context: StreamContext, payload: bytes) -> None:
    end = End()
    assert end.wait(0, 2 * _S) == []  # nothing is known yet
    end.hear(sent_octets(context, payload), 2 * _S)
    pictures = end.wait(2 * _S + 1, 5 * _S)
    assert [picture.time_ns for picture in pictures] == list(range(21 * _S // 10, 5 * _S, _S // 10))
    first, *others = (picture.pixels for picture in pictures)
    assert all(np.array_equal(other, first) for other in others)


def test_a_picture_drawn_late_is_of_its_own_instant(context: StreamContext, payload: bytes) -> None:
    end = End()
    end.hear(sent_octets(context, payload), 2 * _S)
    assert end.receiver.advance(2 * _S + 270_000_000) == pytest.approx(2 * _S + 290_000_000)
    assert end.album.pictures[-1].time_ns == 2 * _S + 200_000_000
    end.receiver.advance(2 * _S + 300_000_000)
    assert end.album.pictures[-1].time_ns == 2 * _S + 300_000_000


@pytest.mark.parametrize("delay_ns", [0, 400_000_000, PLAYOUT_DELAY_NS])
def test_the_time_that_is_shown_lags_by_the_playout_delay(
    delay_ns: int, context: StreamContext, payload: bytes
) -> None:
    end = End(delay_ns=delay_ns)
    end.hear(sent_octets(context, payload), 2 * _S)
    for picture in end.wait(2 * _S + 1, 4 * _S):
        assert picture.time_ns - picture.shown_ns == delay_ns
        assert np.isfinite(picture.cell_age_s).any()


def test_an_object_is_shown_where_it_was_a_playout_delay_ago(context: StreamContext, walker_payload: bytes) -> None:
    end = End(delay_ns=_S)
    end.hear(sent_octets(context, walker_payload), 2 * _S)
    pictures = end.wait(2 * _S + 1, 5 * _S)
    known_ns = next(picture for picture in pictures if picture.objects).objects[0].known_ns
    for picture in pictures:
        before_ns = known_ns - picture.shown_ns
        if before_ns > 300_000_000:
            assert picture.objects == ()  # it was not there yet
        elif before_ns > -_S:
            (shown,) = picture.objects
            assert (shown.box.x0 + shown.box.x1) / 2 == pytest.approx(40 - before_ns / 1e8, abs=0.01)


def test_who_is_not_heard_of_any_more_is_dropped(context: StreamContext, walker_payload: bytes) -> None:
    end = End()
    end.hear(sent_octets(context, walker_payload), 2 * _S)
    pictures = end.wait(2 * _S + 1, 20 * _S)
    assert len(pictures[0].objects) == 1
    assert pictures[-1].objects == ()
    (stream,) = end.receiver._streams
    assert stream.scene.sprites == {}


def test_a_restarted_sender_begins_anew(context: StreamContext, payload: bytes) -> None:
    end = End()
    end.hear(sent_octets(context, payload), 2 * _S)
    end.hear(sent_octets(replace(context, epoch=8)), 4 * _S)
    assert end.album.kinds == ["sender_heard", "sender_heard"]
    assert len(end.receiver._streams) == 2  # anybody could have sent that introduction
    end.hear(sent_octets(replace(context, epoch=8), payload), 6 * _S)
    (stream,) = end.receiver._streams
    assert stream.context.epoch == 8
    end.receiver.advance(7 * _S)
    assert end.album.pictures[-1].capture_time_ns > 2 * _S


def test_a_model_that_is_not_installed_is_named(context: StreamContext, payload: bytes) -> None:
    end = End()
    end.hear(sent_octets(replace(context, model_hash=bytes.fromhex("c0ffee")), payload), 2 * _S)
    end.receiver.advance(3 * _S)
    assert end.album.kinds == ["model_missing"]
    assert "c0ffee" in str(end.album.events[0].fields["message"])
    assert end.album.pictures == []


@pytest.mark.parametrize("view", [None, *View])
def test_the_generator_of_the_view_paints(
    view: View | None,
    context: StreamContext,
    walker_payload: bytes,
    two_views: Artefact,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiver, "find_artefact", lambda **_: two_views)
    end = End() if view is None else End(view=view)
    end.hear(sent_octets(context, walker_payload), 2 * _S)
    picture = end.wait(2 * _S + 1, 3 * _S)[0].pixels
    codec = load_scene_codec(two_views, view=view or View.FAITHFUL)
    bare = codec.synthesise(Background(96, 64, codec.entropy.groups))
    np.testing.assert_array_equal(picture[:, 64:], bare[:, 64:])  # where nobody walks


def test_payloads_that_make_no_sense_are_counted(context: StreamContext, payload: bytes) -> None:
    rng = np.random.default_rng(1)
    noise = [rng.bytes(_CAPACITY_BYTES) for _ in range(60)]
    end = End()
    end.hear(sent_octets(context, *noise, payload), 40 * _S)
    end.receiver.advance(41 * _S)
    assert end.receiver.link.statistics.packets_good >= 62
    assert 1 <= end.receiver.payloads_damaged <= 60
    assert end.album.pictures


def test_the_link_is_reported_every_10_seconds(context: StreamContext, payload: bytes) -> None:
    end = End()
    for second in range(31):
        end.hear(sent_octets(context, payload) if second == 5 else b"", second * _S)
    reports = [event for event in end.album.events if event.kind == "link_report"]
    assert [event.time_ns for event in reports] == [10 * _S, 20 * _S, 30 * _S]
    assert (reports[-1].fields["packets_good"], reports[-1].fields["packet_loss"]) == (2, 0.0)


def test_lines_and_telemetry_are_told_once(context: StreamContext) -> None:
    end = End()
    parts = [part.to_payload() for part in text_parts(1, "The gate is open, and nobody is here.", 33)]
    end.hear(sent_octets(context, *parts, *parts, kind=PacketKind.TEXT), 3 * _S)
    end.hear(sent_octets(replace(context, epoch=8), b"\x01\x30\xd4", kind=PacketKind.TELEMETRY), 6 * _S)
    end.hear(sent_octets(replace(context, epoch=9), b"\x01\x30", b"", kind=PacketKind.TELEMETRY), 9 * _S)
    told = [event for event in end.album.events if event.kind in {"text", "telemetry"}]
    assert [dict(event.fields) for event in told[:2]] == [
        {"callsign": "DK1AB", "sender": 0, "text": "The gate is open, and nobody is here."},
        {"callsign": "DK1AB", "sender": 0, "battery_v": 12.5},
    ]
    assert all("battery_v" not in event.fields or event.fields["battery_v"] in {12.5, 12.288} for event in told[2:])


def test_an_alarm_is_an_event_once_and_in_the_pictures_for_10_seconds(context: StreamContext, payload: bytes) -> None:
    end = End()
    alarm = Alarm(9, True, 1, 0.2, Region.from_steps(51, 51, 102, 204), "gate").to_payload(_CAPACITY_BYTES)
    end.hear(sent_octets(context, payload), 2 * _S)
    damaged = end.receiver.payloads_damaged
    end.hear(sent_octets(context, b"", b"", alarm, alarm, kind=PacketKind.ALARM), 4 * _S)
    assert end.receiver.payloads_damaged == damaged + 1  # of the empty ones; the other has the scene's number
    (event,) = (event for event in end.album.events if event.kind == "alarm")
    assert (event.time_ns, event.fields["number"], event.fields["zone"]) == (4 * _S, 9, "gate")
    assert event.fields["right_px"] == pytest.approx(102 / 255 * _SIZE_PX[0], abs=0.05)
    for picture in end.wait(4 * _S + 1, 20 * _S):
        shown = picture.time_ns <= 14 * _S
        assert [each.number for each in picture.alarms] == ([9] if shown else [])


def test_a_sender_that_is_not_taken_is_told_once(context: StreamContext, payload: bytes) -> None:
    end = End()
    key = MasterKey(bytes(32)).sender_key(0, "DK1AB")
    octets = sent_octets(replace(context, security=Security.AUTHENTICATED), payload, key=key)
    for second in (3, 6):
        end.hear(octets, second * _S)
    assert end.album.kinds == ["sender_refused"]
    assert end.album.events[0].fields["message"] == "there is no key for sender 0, DK1AB: set key_file"
    assert end.album.pictures == []
