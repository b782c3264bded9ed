"""Shared by all tests: nothing but loopback may be reached, and a night with all three platforms to play with."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

import pytest
from night import Night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["twitter_fixtures"]
_CONNECT = socket.socket.connect


def _loopback_only(self: socket.socket, address: object) -> None:
    host = address[0] if isinstance(address, tuple) else None
    if isinstance(host, str) and not (host == "localhost" or ipaddress.ip_address(host).is_loopback):
        raise AssertionError(f"a test tried to reach {address}")
    _CONNECT(self, address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but this machine fails the test."""
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """All three simulated platforms, a config that points at them, and a clock that tests move."""
    with Night(tmp_path) as one:
        yield one
