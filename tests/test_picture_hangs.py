"""An upload that never ends costs the picture, whatever deadline the runs have, and never the words."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from twitter_kit import png

from outagecast.sandbox.faults import Fault, FaultKind

if TYPE_CHECKING:
    from night import Night

POST = ("post", "--json", "fiber cut", "--image", "map.png", "--alt", "a map", "--deadline", "3")
UPLOADS = {"twitter": "POST /2/media/upload", "facebook": r"POST /v\d+\.\d+/\d+/photos"}
LATER = 120
"""Seconds between two runs: by then it is believed that nothing is out."""


@pytest.fixture
def imported() -> None:
    """The SDKs: their first import on a busy machine may take as long as the deadline here."""
    for name in ("facebook", "tweepy"):
        import_module(name)


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("channel", UPLOADS)
def test_the_run_after_one_that_was_cut_short_in_the_upload_sends_the_words(channel: str, night: Night) -> None:
    (night.folder / "map.png").write_bytes(png())
    platform = night.x if channel == "twitter" else night.graph
    platform.faults.add(Fault(UPLOADS[channel], FaultKind.HANG, times=99))
    assert night.run(*POST, "--to", channel).code == 75
    assert platform.public() == []
    night.clock.move(LATER)  # type: ignore[attr-defined]
    done = night.run(*POST, "--to", channel)
    assert done.code == 0
    (post,) = done.channel(channel)["posts"]
    assert post["detail"] == "without its picture: its upload did not end in time"
    uploads = [request for request in platform.log if re.match(UPLOADS[channel], f"{request.method} {request.path}")]
    assert len(uploads) == 1
    assert [public["images"] for public in platform.public()] == [[]]
