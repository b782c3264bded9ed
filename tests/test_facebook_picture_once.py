"""A Page's post with a picture is out once wherever the process ends, and an upload without an end holds it once."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from facebook_kit import FEED, IMAGE, NOW, POST, PUBLISH, Memory, channel, finish, simulated_page, written
from msgspec.structs import replace

from outagecast.channel import InDoubt, Receipt, TryLater
from outagecast.sandbox.faults import lost_answer
from outagecast.sandbox.graph import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outagecast.channel import Post
    from outagecast.sandbox.graph import GraphPlatform

PICTURED = replace(POST, image=IMAGE)
BROKEN = replace(POST, image=replace(IMAGE, data=b"<svg/>"))
UNENDED = "without its picture: its upload did not end in time"


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def uploads(page: GraphPlatform) -> int:
    return sum(line.endswith("/photos") for line in written(page))


def demand_one(page: GraphPlatform, receipt: Receipt) -> None:
    """One post is out, and the receipt is true about it and about its picture."""
    (public,) = page.public()
    assert (public["id"], public["text"]) == (receipt.ref, POST.text)
    assert public["images"] == ([] if receipt.note else [IMAGE.alt])


class KilledError(Exception):
    pass


class Blow:
    """Remembers as the journal does, until the process dies just before or just after its n-th commit."""

    def __init__(self, memory: Memory, at: int, *, committed: bool) -> None:
        self.memory, self.at, self.committed = memory, at, committed

    def __call__(self, token: Mapping[str, str]) -> None:
        self.at -= 1
        if self.at or self.committed:
            self.memory(token)
        if not self.at:
            raise KilledError


# -- killed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("post", [PICTURED, BROKEN], ids=["good", "broken"])
@pytest.mark.parametrize(("publish", "at_once"), [("two-phase", False), ("two-phase", True), ("direct", False)])
def test_killed_between_any_two_steps_it_ends_as_one_post(
    page: GraphPlatform, publish: str, at_once: bool, post: Post, at: int, committed: bool
):
    page.rich_drafts_go_live = at_once
    memory = Memory()
    with pytest.raises(KilledError):
        channel(page, publish=publish).send(post, None, Blow(memory, at, committed=committed))
    receipt = finish(channel(page, publish=publish), memory, post)
    unended = (at, committed) in {(1, True), (2, False)}  # only the beginning of the upload was remembered
    assert bool(receipt.note) == (post is BROKEN or unended)
    demand_one(page, receipt)


# -- an upload that an earlier run did not see the end of ------------------------------------------------------------


def killed_while_uploading() -> Memory:
    """What is remembered of a run that ended before the answer to the upload."""
    memory = Memory()
    memory({"picture-begun": "1"})
    return memory


@pytest.mark.parametrize("publish", ["two-phase", "direct"])
def test_it_is_not_begun_again_and_the_words_go_out(page: GraphPlatform, publish: str):
    receipt = finish(channel(page, publish=publish), killed_while_uploading(), PICTURED)
    assert (uploads(page), receipt.note) == (0, UNENDED)
    demand_one(page, receipt)


def test_what_is_found_later_says_so_too(page: GraphPlatform):
    page.faults.add(lost_answer(PUBLISH))
    facebook, memory = channel(page), killed_while_uploading()
    with pytest.raises(InDoubt):
        facebook.send(replace(PICTURED, token=memory.token), None, memory)
    found = facebook.find(replace(PICTURED, token=memory.token), None, NOW)
    assert isinstance(found, Receipt)
    assert found.note == UNENDED


def test_nor_is_it_begun_again_when_the_words_have_to_wait(page: GraphPlatform):
    page.faults.add(ERRORS["page-calls"].fault(FEED))
    facebook, memory = channel(page), killed_while_uploading()
    with pytest.raises(TryLater):
        facebook.send(replace(PICTURED, token=memory.token), None, memory)
    receipt = facebook.send(replace(PICTURED, token=memory.token), None, memory)
    assert (uploads(page), receipt.note) == (0, UNENDED)
    demand_one(page, receipt)


def test_one_that_could_not_even_begin_has_its_next_chance(page: GraphPlatform):
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
    memory = Memory()
    with pytest.raises(TryLater):
        channel(page, simulator_url=nobody).send(PICTURED, None, memory)
    receipt = channel(page).send(replace(PICTURED, token=memory.token), None, memory)
    assert (uploads(page), receipt.note) == (1, None)
    demand_one(page, receipt)
