"""The rehearsal of a post: made where nobody sees it, read, deleted. It proves the token, the rights and the task."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from outagecast.channel import REHEARSAL, ChannelError, InDoubt, TryLater
from outagecast.channels.facebook_answers import Gone
from outagecast.channels.facebook_changes import take_back
from outagecast.channels.facebook_findings import CHECK, Findings, next_step
from outagecast.channels.facebook_posts import SHOWN_FIELDS, Shown, search
from outagecast.channels.facebook_settings import Publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from outagecast.channel import Finding
    from outagecast.channels.facebook_graph import Graph
    from outagecast.channels.facebook_settings import FacebookSettings

_NO_CAPABILITY = 3
_CLOCKS_DIFFER = timedelta(days=1)
"""Only bounds the reading: the text has the time in it to the microsecond."""
_BY_HAND = "delete it by hand: Meta Business Suite shows it under Content, among the drafts and unpublished posts"
_STATES = {True: "It is PUBLIC", False: "It is not public", None: "It was asked for as one that nobody sees"}
_LOOK = "look at the Page in a browser that is not logged in: is it gone there"


class Rehearsal:
    """One rehearsal on one Page: at most one post, never meant to be public, and deleted whatever happens to it."""

    def __init__(self, channel: str, settings: FacebookSettings, graph: Graph, now: datetime) -> None:
        self._said = Findings(channel)
        self._settings = settings
        self._graph = graph
        self._now = now
        self._text = (
            f"Rehearsal of outagecast, {now:%Y-%m-%d %H:%M:%S.%f} UTC. "
            "Nobody but the Page's own people sees this; it may be deleted."
        )
        self._found: list[Finding] = []
        self._public: bool | None = None
        """None: not known."""
        self._asked = False
        """From here on there may be a post."""
        self._ref = ""
        self._over = False
        """Nothing is left, or what is left has been told."""

    def findings(self) -> Sequence[Finding]:
        """Rehearse. What was made is deleted even when a later step fails, by a fault of our own too."""
        self._asked = True
        made = self._made()
        if made is None:
            self._over = True
            return self._found
        self._public, self._ref = made.live, made.ref
        try:
            self._read(made)
        finally:
            self._delete(made.ref)
        self._over = True
        if not self._found:
            self._found += self._proven()
        return self._found

    def _proven(self) -> Iterator[Finding]:
        """Tell what has been shown, and the one thing that has not: a person sees it, and no token."""
        text = "a post that nobody sees was made, read and deleted again: the token's owner may create content there"
        yield self._said.good(text)
        # The posts of an app in Development mode are seen by its own people only, and the API says 200 all the same.
        yield self._said.warning(
            "whether the app is Live cannot be read: in Development mode it posts for its own people only",
            f"open https://www.facebook.com/{self._settings.page_id} in a browser that is not logged in, once there is "
            "a post from here: does it stand there",
        )

    def leftovers(self) -> Iterator[Finding]:
        """What is there, or may be, of a rehearsal that was cut off."""
        if not self._asked or self._over:
            return
        what = f"the post {self._ref} of the rehearsal was not seen to be deleted"
        if not self._ref:
            what = f'a post of the rehearsal may have been made: "{self._text}"'
        yield self._said.bad(f"{what}. {_STATES[self._public]}", f"{_BY_HAND}; then: {REHEARSAL}")

    def _bad(self, text: str, do: str) -> None:
        self._found.append(self._said.bad(text, do))

    def _made(self) -> Shown | None:
        """Make the post; None if there is none, or none that could be found."""
        feed = f"{self._settings.page_id}/feed"
        try:
            made = Shown.of(self._graph.write(feed, fields=SHOWN_FIELDS, message=self._text, published="false").body)
        except InDoubt as err:
            return self._lost(err.text)
        except ChannelError as err:
            self._refused(err)
            return None
        return made if made.ref else self._lost("Facebook took the post and gave no id for it")

    def _refused(self, err: ChannelError) -> None:
        """Tell why nothing could be made. A Page with `publish: direct` may take no drafts and be in good order."""
        if self._settings.publish is Publish.DIRECT and self._graph.code == _NO_CAPABILITY:
            text = (
                f"not rehearsed: the Page takes no unpublished post, and a public one is not made for it ({err.text})"
            )
            do = f"nothing to mend with `publish: direct`; the rest is told by: {CHECK}"
            self._found.append(self._said.warning(text, do))
            return
        self._bad(f"no post that nobody sees could be made: {err.text}", next_step(err))

    def _lost(self, why: str) -> Shown | None:
        """Look by its text for a post whose making got no clear answer."""
        try:
            found = search(self._graph, self._settings.page_id, self._text, self._now - _CLOCKS_DIFFER)
        except ChannelError as err:
            why, found = f"{why}; and looking for it failed: {err.text}", None
        if found is None:
            text = f'whether a post was made is not known ({why}); if so, as one that nobody sees: "{self._text}"'
            self._bad(text, f"if there is one, {_BY_HAND}; then: {REHEARSAL}")
            return None
        text = f"the answer to making a post was lost ({why}); it was found by its text, as {found.ref}"
        self._found.append(self._said.warning(text, f"try again: {REHEARSAL}"))
        return found

    def _read(self, made: Shown) -> None:
        """Read it back, unless it is known to be public: then it goes at once."""
        if not self._public:
            try:
                shown = Shown.of(self._graph.read(made.ref, fields=SHOWN_FIELDS).body)
            except ChannelError as err:
                self._bad(f"the unpublished post {made.ref} could not be read back: {err.text}", next_step(err))
                return
            if shown.live is None:
                self._bad(f"Facebook does not say whether the post {made.ref} is public", f"{_LOOK}; then: {REHEARSAL}")
            self._public = shown.live
        if self._public:
            self._bad(f"Facebook made the unpublished post {made.ref} public at once", f"{_LOOK}; then: {CHECK}")

    def _delete(self, ref: str) -> None:
        """Delete it and see that it is gone; a deletion may be repeated, so one that was unclear is, once."""
        try:
            try:
                take_back(self._graph, ref, self._settings.page_id)
            except TryLater:
                take_back(self._graph, ref, self._settings.page_id)
        except ChannelError as err:
            self._confirm(ref, err.text)
        else:
            self._confirm(ref, "")

    def _confirm(self, ref: str, failed: str) -> None:
        """See that it is gone; `failed` is why the deletion may have failed, empty if Facebook said that it did not."""
        try:
            self._graph.read(ref, fields="id")
        except Gone:
            return
        except ChannelError as err:
            said = "Facebook said so, but whether it is gone could not be read"
            self._left(ref, failed or f"{said}: {err.text}", sure=bool(failed))
            return
        self._left(ref, failed or "Facebook said so and still shows it")

    def _left(self, ref: str, why: str, *, sure: bool = True) -> None:
        what = "could not be deleted" if sure else "was deleted"
        text = f"the post {ref} of the rehearsal {what} ({why}). {_STATES[self._public]}"
        do = f"{_BY_HAND}; then: {REHEARSAL}"
        self._found.append(self._said.bad(text, do) if sure else self._said.warning(text, do))
