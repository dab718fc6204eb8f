"""The viewers of the page: who watches what, and the newest picture for each. All of it in the server's thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_device.pictures import encode_jpeg
from pantel_device.receiving.sink import Picture
from pantel_device.web.access.sessions import Session
from pantel_device.web.hub import Choice, TakenPicture
from pantel_device.web.messages import cells_changed, picture_header, picture_message

__all__ = ["MOST_VIEWERS", "Gallery", "Shot", "TooManyViewersError", "Viewer"]

MOST_VIEWERS = 8
_MOST_WAITING_TEXTS = 256
_LINGER_S = 5.0


class TooManyViewersError(Exception):
    """As many watch as the receiver can bear."""


class Shot:
    """A picture that is made ready once, for all who take it, and only if somebody does.

    Args:
        picture: As the receiver has drawn it.
        encoders: Threads for making JPEGs.
    """

    def __init__(self, picture: Picture, encoders: Executor) -> None:
        self.picture = picture
        self._encoders = encoders
        self._jpeg: asyncio.Future[bytes] | None = None

    @cached_property
    def header(self) -> dict[str, Any]:
        """What is known of the picture."""
        return picture_header(self.picture)

    async def jpeg(self) -> bytes:
        """Return the picture as JPEG."""
        if self._jpeg is None:
            loop = asyncio.get_running_loop()
            self._jpeg = loop.run_in_executor(self._encoders, encode_jpeg, self.picture.pixels)
        return await asyncio.shield(self._jpeg)  # a viewer that goes must not take it from the others


class Viewer:
    """Somebody who watches: what is there for him to be sent.

    Old pictures are worth nothing, so only the newest waits.

    Args:
        choice: What he watches.

    Attributes:
        choice: What he watches.
        closing: Code with which to close; None to go on.
        session: The session that lets him watch; None where none is needed.
    """

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.closing: int | None = None
        self.session: Session | None = None
        self._woken = asyncio.Event()
        self._shot: Shot | None = None
        self._texts: deque[str] = deque(maxlen=_MOST_WAITING_TEXTS)
        self._state: str | None = None
        self._cells: NDArray[np.float32] | None = None
        self._cells_of: object = None

    def show(self, shot: Shot) -> None:
        """Leave a picture."""
        self._shot = shot
        self._woken.set()

    def tell(self, text: str) -> None:
        """Leave a message; of very many the oldest are dropped."""
        self._texts.append(text)
        self._woken.set()

    def tell_state(self, text: str) -> None:
        """Leave the state; it takes the place of one that was not sent."""
        self._state = text
        self._woken.set()

    def close(self, code: int) -> None:
        """Have him sent away."""
        self.closing = code
        self._woken.set()

    async def wait(self) -> None:
        """Wait until there is something."""
        await self._woken.wait()
        self._woken.clear()

    def take_texts(self) -> list[str]:
        """Take the messages that wait, the state first; what comes meanwhile has its turn after a picture."""
        texts = [*([] if self._state is None else [self._state]), *self._texts]
        self._state = None
        self._texts.clear()
        return texts

    def take_shot(self) -> Shot | None:
        """Take the newest picture; None if there is none that he has not had."""
        shot, self._shot = self._shot, None
        return shot

    async def message_of(self, shot: Shot) -> bytes:
        """Return a picture as a binary message, with the ages of its cells if they have changed."""
        of, cells = (shot.picture.sender, shot.picture.view), shot.picture.cell_age_s
        changed = of != self._cells_of or cells_changed(self._cells, cells)
        jpeg = await shot.jpeg()
        if changed:
            self._cells_of, self._cells = of, cells
        return picture_message(shot.header, jpeg, cells if changed else None)


class Gallery:
    """Hands the newest pictures to viewers, and knows what must be drawn for them.

    Args:
        encoders: Threads for making JPEGs.
        want: Told what is watched, whenever that changes.
        most_viewers: How many may watch at a time.

    Attributes:
        closed: Whether nobody may watch any more.
        pictures_sent: To all together.
    """

    def __init__(
        self, encoders: Executor, want: Callable[[Collection[Choice]], None], most_viewers: int = MOST_VIEWERS
    ) -> None:
        self._encoders = encoders
        self._want = want
        self._most_viewers = most_viewers
        self._viewers: set[Viewer] = set()
        self._glances: dict[Choice, asyncio.TimerHandle] = {}
        self._newest: dict[Choice, Shot] = {}
        self._arrived = asyncio.Event()
        self.closed = False
        self.pictures_sent = 0

    @property
    def viewers(self) -> Collection[Viewer]:
        """Those who watch."""
        return self._viewers

    @property
    def full(self) -> bool:
        """Whether nobody else may watch."""
        return self.closed or len(self._viewers) >= self._most_viewers

    @contextmanager
    def viewing(self, choice: Choice) -> Iterator[Viewer]:
        """Yield a viewer, who watches until the block ends.

        Raises:
            TooManyViewersError: There is no room for another.
        """
        if self.full:
            raise TooManyViewersError
        viewer = Viewer(choice)
        self._viewers.add(viewer)
        self._note_wanted()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            self._note_wanted()

    def choose(self, viewer: Viewer, choice: Choice) -> None:
        """Let a viewer watch something else."""
        viewer.choice = choice
        viewer.take_shot()
        self._note_wanted()
        if choice in self._newest:
            viewer.show(self._newest[choice])

    async def glance(self, choice: Choice, patience_s: float) -> Shot | None:
        """Return the newest picture of a choice; for some seconds it is drawn for who looks again.

        Args:
            choice: What to look at.
            patience_s: How long to wait for one if nobody has been watching [s].

        Returns:
            None if there is none.

        Raises:
            TooManyViewersError: As many different choices are drawn as there may be viewers.
        """
        if choice not in (wanted := self._wanted()) and len(wanted) >= self._most_viewers:
            raise TooManyViewersError
        loop = asyncio.get_running_loop()
        if (timer := self._glances.pop(choice, None)) is not None:
            timer.cancel()
        self._glances[choice] = loop.call_later(_LINGER_S, self._look_away, choice)
        self._note_wanted()
        deadline_s = loop.time() + patience_s
        while choice not in self._newest and not self.closed and (left_s := deadline_s - loop.time()) > 0:
            self._arrived.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._arrived.wait()
            except TimeoutError:
                break
        return self._newest.get(choice)

    def take(self, pictures: Iterable[TakenPicture]) -> None:
        """Take what has been drawn, and leave it for whoever watches it."""
        wanted = self._wanted()
        for taken in pictures:
            shot = Shot(taken.picture, self._encoders)
            choices = {Choice(taken.picture.sender, taken.picture.view)}
            if taken.heard_last:
                choices.add(Choice(None, taken.picture.view))
            for choice in choices & wanted:
                self._newest[choice] = shot
            for viewer in self._viewers:
                if viewer.choice in choices:
                    viewer.show(shot)
        self._arrived.set()

    def end_session(self, session: Session) -> None:
        """Send those away who watch with a session that has ended."""
        self.end_sessions(lambda watching: watching.id == session.id)

    def end_sessions(self, over: Callable[[Session], bool]) -> None:
        """Send those away whose session is over."""
        for viewer in self._viewers:
            if viewer.session is not None and over(viewer.session):
                viewer.close(4401)

    def close(self) -> None:
        """Send all viewers away."""
        self.closed = True
        for timer in self._glances.values():
            timer.cancel()
        self._glances.clear()
        for viewer in self._viewers:
            viewer.close(1012)
        self._arrived.set()

    def _look_away(self, choice: Choice) -> None:
        del self._glances[choice]
        self._note_wanted()

    def _wanted(self) -> set[Choice]:
        return {viewer.choice for viewer in self._viewers} | self._glances.keys()

    def _note_wanted(self) -> None:
        watched = {viewer.choice for viewer in self._viewers}
        glanced = [choice for choice in self._glances if choice not in watched]
        for choice in glanced[: max(len(watched) + len(glanced) - self._most_viewers, 0)]:  # viewers come first
            self._glances.pop(choice).cancel()
        wanted = self._wanted()
        self._newest = {choice: shot for choice, shot in self._newest.items() if choice in wanted}
        self._want(wanted)
