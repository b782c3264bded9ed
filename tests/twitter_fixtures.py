"""The simulated X and our channel to it, for every test that asks for them by these names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twitter_kit import Clock, maker, simulated_x

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outagecast.channels.twitter import Twitter
    from outagecast.sandbox.x import XPlatform


@pytest.fixture
def x() -> Iterator[XPlatform]:
    yield from simulated_x()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(x: XPlatform, clock: Clock) -> Iterator[Callable[..., Twitter]]:
    yield from maker(x, clock)


@pytest.fixture
def twitter(make: Callable[..., Twitter]) -> Twitter:
    return make()
