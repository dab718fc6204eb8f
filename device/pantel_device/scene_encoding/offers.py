"""Offers: what could join a payload, at the price of what it takes the place of there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

__all__ = ["Offer", "Tellable"]


class Tellable(Protocol):
    """What can be told, and what that is worth."""

    @property
    def bits(self) -> float:
        """About how many it takes."""
        ...

    @property
    def worth(self) -> float:
        """What it is worth per bit."""
        ...

    @property
    def track_id(self) -> int | None:
        """The object that it is about; None if it is about none."""
        ...


_News = TypeVar("_News", bound=Tellable)


@dataclass(frozen=True, slots=True, eq=False)
class Offer(Generic[_News]):
    """News as they would join those of a payload.

    Attributes:
        news: What is offered.
        told: The news of the payload with them; they take the place of what it tells of the same object.
        bits: By how much it grows.
        worth: What that is worth per bit.
    """

    news: _News
    told: list[_News]
    bits: float
    worth: float

    def with_news(self, news: _News) -> Offer[_News]:
        """Return the offer with other news in the place of its own."""
        if news is self.news:
            return self
        return replace(self, news=news, told=[news if old is self.news else old for old in self.told])

    @classmethod
    def of(cls, news: _News, told: Sequence[_News]) -> Offer[_News]:
        """Return the offer of news for a payload that tells others already."""
        index = next(
            (i for i, old in enumerate(told) if news.track_id is not None and old.track_id == news.track_id), None
        )
        if index is None:
            return cls(news, [*told, news], news.bits, news.worth)
        old = told[index]
        bits = news.bits - old.bits
        worth = (news.worth * news.bits - old.worth * old.bits) / max(bits, 1.0)
        return cls(news, [*told[:index], news, *told[index + 1 :]], bits, worth)
