"""Sessions: who has shown the token is known by a cookie that only this page can have made."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pantel_device.atomic_file import write_atomically
from pantel_device.wall_clock import utc_s

__all__ = ["Session", "Sessions"]

log = logging.getLogger(__name__)

_LONGEST_S = 30 * 86_400
_LONGEST_IDLE_S = 7 * 86_400
_RENEWAL_S = 3600
_ID_OCTETS = 16
_MOST_ENDED = 1000
_LONGEST_COOKIE = 200


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has logged in.

    Attributes:
        id: Random.
        began_s: When he logged in, in seconds of UTC since 1970.
        seen_s: When the cookie was made.
        secure: Whether the browser has come over TLS, so that the cookie must keep to that.
    """

    id: str
    began_s: int
    seen_s: int
    secure: bool = False


class Sessions:
    """Makes and checks cookies.

    A cookie holds its session, sealed by a key that is made of the token: so it outlives a restart, and a new token
    ends all sessions. Those that were ended before their time are kept in a file.

    Args:
        token: Opens the page.
        ended_file: Where ended sessions are kept.
        now_s: UTC in seconds since 1970. A clock that is wrong makes sessions shorter or longer, no more.
    """

    def __init__(self, token: bytes, ended_file: Path, now_s: Callable[[], int] = utc_s) -> None:
        # Slow, so that a token that somebody has thought up cannot be guessed from a cookie in reasonable time.
        self._key = hashlib.scrypt(token, salt=b"pantel page sessions", n=1 << 14, r=8, p=1)
        self._token = token
        self._ended_file = ended_file
        self._now_s = now_s
        self._ended = _read_ended(ended_file)

    def opens(self, token: bytes) -> bool:
        """Whether a token is the right one; takes as long for any wrong one."""
        return hmac.compare_digest(hashlib.sha256(token).digest(), hashlib.sha256(self._token).digest())

    def begin(self, *, secure: bool = False) -> Session:
        """Return a new session; see `Session`."""
        now_s = self._now_s()
        return Session(secrets.token_urlsafe(_ID_OCTETS), now_s, now_s, secure)

    def check(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None if it is forged, over or ended."""
        body, _, seal = cookie.rpartition(".")
        if len(cookie) > _LONGEST_COOKIE or not hmac.compare_digest(self._seal(body).encode(), seal.encode()):
            return None
        session_id, began_s, seen_s, secure = body.split(".")
        session = Session(session_id, int(began_s), int(seen_s), secure == "1")
        idle = self._now_s() - session.seen_s > _LONGEST_IDLE_S
        return None if idle or self.is_over(session) else session

    def is_over(self, session: Session) -> bool:
        """Whether a session that is in use has come to its end, or was ended."""
        return self._now_s() - session.began_s > _LONGEST_S or session.id in self._ended

    def renewed(self, session: Session) -> Session | None:
        """Return a session with a new cookie, if its cookie was made long ago; None if it need not be renewed."""
        now_s = self._now_s()
        return None if 0 <= now_s - session.seen_s < _RENEWAL_S else replace(session, seen_s=now_s)

    def end(self, session: Session) -> None:
        """End a session before its time, over restarts, too."""
        self._ended[session.id] = session.began_s
        now_s = self._now_s()
        current = {key: began_s for key, began_s in self._ended.items() if now_s - began_s <= _LONGEST_S}
        self._ended = dict(list(current.items())[-_MOST_ENDED:])
        try:
            self._ended_file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._ended_file, json.dumps(self._ended).encode())
        except OSError as error:
            log.warning("an ended session is not kept path=%s reason=%s", self._ended_file, error.strerror)

    def cookie(self, session: Session) -> str:
        """Return the cookie of a session."""
        body = f"{session.id}.{session.began_s}.{session.seen_s}.{int(session.secure)}"
        return f"{body}.{self._seal(body)}"

    def _seal(self, body: str) -> str:
        digest = hmac.digest(self._key, body.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _read_ended(path: Path) -> dict[str, int]:
    """Return the sessions that were ended; none if that cannot be read, which a new token mends."""
    try:
        values = json.loads(path.read_bytes())
        return {str(key): int(began_s) for key, began_s in values.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        log.warning("cannot read which sessions were ended path=%s reason=%r", path, error)
        return {}
