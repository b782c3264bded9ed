"""A Facebook Page as a channel.

A post goes out in two steps, a draft and its publication by id: the second can be repeated without a second post, so
between them a kill costs nothing. A picture is uploaded before both, unseen until the post carries it. Comments cannot
be closed on Facebook; strangers' are hidden or deleted by sweeps.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from outagecast.channel import (
    Absent,
    Announcement,
    CannotTell,
    Capabilities,
    ChannelError,
    Finding,
    House,
    InDoubt,
    Level,
    Limit,
    Post,
    Receipt,
    Refused,
    Replies,
    ReplyControl,
    TryLater,
    Unfinished,
)
from outagecast.channels.facebook_answers import Gone
from outagecast.channels.facebook_findings import next_step
from outagecast.channels.facebook_picture import LARGEST, Picture, left_out
from outagecast.channels.facebook_posts import SHOWN_FIELDS, Shown, search
from outagecast.channels.facebook_settings import FacebookSettings, Publish
from outagecast.channels.facebook_table import LOOK
from outagecast.channels.facebook_text import MOST_CHARACTERS, amended, compose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from outagecast.channel import Act, Grant, Look, Person, Remember, SweepLog
    from outagecast.channels.facebook_graph import Graph
    from outagecast.channels.facebook_rehearsal import Rehearsal

_LOOK_BACK = timedelta(days=1)
"""How far before the last attempt posts are looked at: an earlier attempt may have landed after all, and clocks differ.
Only the reading needs an end; a post's text has its date in it, so an older one is never taken for it."""
_LISTED_AFTER = timedelta(seconds=60)
"""How long a live post may be missing from the lists: nobody has published a figure, so a generous one."""


def _clock() -> datetime:
    return datetime.now(UTC)


def _nobody_waits() -> bool:
    return False


class Facebook:
    """One Facebook Page."""

    Settings: ClassVar[type[FacebookSettings]] = FacebookSettings
    caps: ClassVar[Capabilities] = Capabilities(
        replies=ReplyControl.MODERATED,
        limits=(Limit(MOST_CHARACTERS, "characters", len),),
        can_find=True,
        can_retract=True,
        can_edit=True,
        images=LARGEST,
    )

    def __init__(
        self,
        name: str,
        settings: FacebookSettings,
        house: House,
        *,
        now: Callable[[], datetime] = _clock,
        patience: float = 20,
    ) -> None:
        """`patience` is how many seconds an answer may take."""
        self.name = name
        self._settings = settings
        self._house = house
        self._now = now
        self._patience = patience
        self._rehearsal: Rehearsal | None = None
        self._spent: tuple[datetime, TryLater] | None = None
        """Until when, and why, the Page's calls are left for posts."""

    @staticmethod
    def authorize(
        known: Mapping[str, Any], person: Person, now: Callable[[], datetime], *, checked: bool = False
    ) -> Grant:
        """Get the Page's token from a system user's or a person's."""
        from outagecast.channels.facebook_auth import authorize

        return authorize(known, person, now, checked=checked)

    @property
    def account(self) -> str:
        """The Page's number."""
        return self._settings.page_id

    @property
    def endpoints(self) -> Sequence[str]:
        """The hosts this channel depends on."""
        return ("graph.facebook.com",)

    def render(self, news: Announcement) -> Sequence[Post]:
        """Put together the one post; raises Refused when it is too long."""
        text, warnings = compose(news, self._house, notice=self._settings.notice)
        return (Post(text, warnings=warnings, image=news.image),)

    def send(self, post: Post, parent: Receipt | None, remember: Remember) -> Receipt:  # noqa: ARG002  the contract's; a Page's posts hang under nothing
        """Publish one post: at most one side effect that the public sees, whatever attempts went before."""
        picture = Picture(post, remember)
        draft = post.token.get("draft")
        shown = self._publish(draft, remember) if draft else self._begin(post, picture, remember)
        return self._receipt(shown, picture.note)

    def find(self, post: Post, parent: Receipt | None, since: datetime) -> Look:  # noqa: ARG002  the contract's; a Page's posts hang under nothing
        """Look for the post by its remembered draft, then by its text. Raises TryLater about the look."""
        try:
            found = self._by_draft(post) or search(self._graph, self._settings.page_id, post.text, since - _LOOK_BACK)
        except Refused as err:
            return CannotTell(f"Facebook does not let us look for the post: {err.text}. {err.hint}")
        if found is None:
            return Absent(self._believe_after(post))
        return self._receipt(found, left_out(post.token)) if found.live else Unfinished({"draft": found.ref})

    def close_replies(self, receipt: Receipt) -> Replies:
        """Sweep the comments of a post: there is no switch that closes them."""
        return self._swept(receipt)

    def sweep(self, receipt: Receipt, log: SweepLog) -> Replies:
        """Sweep the comments of a post, and say of each what became of it; once the Page's calls run low, no further.

        What was just published comes first, so it is what the last look before that is for.
        """
        if self._spent and self._now() < self._spent[0]:
            raise self._spent[1]
        return self._swept(receipt, log.done, log.give_way)

    def _swept(
        self,
        receipt: Receipt,
        done: Callable[[Act, str], None] = lambda _act, _ref: None,
        give_way: Callable[[], bool] = _nobody_waits,
    ) -> Replies:
        from outagecast.channels.facebook_comments import moderate
        from outagecast.channels.facebook_standing import spent

        replies = moderate(self._graph, self._app(), receipt, self._settings, done, give_way)
        if later := spent(self._graph.usage):
            self._spent = self._now() + (later.after or timedelta(0)), later
        return replies

    def amended(self, first: Post, latest: Announcement) -> str:
        """Put the latest news above the words of the first post, which stay as they are."""
        return amended(first.text, latest, self._house)

    def amend(self, receipt: Receipt, text: str) -> None:
        """Give a post that is out other words; a second time is the same as once."""
        from outagecast.channels.facebook_changes import amend

        amend(self._graph, receipt.ref, text)

    def retract(self, receipt: Receipt) -> None:
        """Delete a post; one that is gone already is success."""
        from outagecast.channels.facebook_changes import take_back

        take_back(self._graph, receipt.ref, self._settings.page_id)

    def check(self) -> Iterator[Finding]:
        """Find out what would stop a post tonight."""
        from outagecast.channels.facebook_check import Checkup

        checkup = Checkup(self.name, self._settings, self._now())
        try:
            graph, app = self._graph, self._app()
        except ChannelError as err:
            yield Finding(self.name, Level.BAD, err.text, next_step(err))
            yield from checkup.version()
            return
        yield from checkup.findings(graph, app)

    def rehearse(self) -> Iterable[Finding]:
        """Make a post that nobody sees, read it, delete it; whatever fails is a finding, and nothing is left."""
        from outagecast.channels.facebook_rehearsal import Rehearsal

        try:
            graph = self._graph
        except ChannelError as err:
            return [Finding(self.name, Level.BAD, err.text, next_step(err))]
        self._rehearsal = Rehearsal(self.name, self._settings, graph, self._now())
        return self._rehearsal.findings()

    def leftovers(self) -> Iterable[Finding]:
        """What a rehearsal that was cut off may have left on the Page."""
        return self._rehearsal.leftovers() if self._rehearsal else ()

    def warm(self) -> None:
        """Import facebook-sdk, and what else the first call needs."""
        from outagecast.channels.facebook_graph import import_sdk

        import_sdk()

    def close(self) -> None:
        """Let go of the connection, if there ever was one."""
        graph = self.__dict__.pop("_graph", None)
        if graph is not None:
            graph.close()

    @cached_property
    def _graph(self) -> Graph:
        """Open the API on first use: the SDK and requests are imported here, the token is read here."""
        secret = self._settings.app_secret
        return self._open(self._settings.page_access_token.reveal(), secret.reveal() if secret else None)

    def _app(self) -> Callable[[], Graph] | None:
        """Give what opens the API as the app itself, if the config knows the app."""
        app_id, secret = self._settings.app_id, self._settings.app_secret
        if not app_id or not secret:
            return None
        token = f"{app_id}|{secret.reveal()}"
        return lambda: self._open(token, None)

    def _open(self, token: str, app_secret: str | None) -> Graph:
        from outagecast.channels.facebook_graph import Graph

        return Graph(
            token,
            app_secret=app_secret,
            version=self._settings.api_version,
            simulator_url=self._settings.simulator_url,
            patience=self._patience,
            now=self._now,
        )

    def _begin(self, post: Post, picture: Picture, remember: Remember) -> Shown:
        """Make a post of which no draft is known, and publish it if it is not live by then."""
        picture.upload(self._graph, self._settings.page_id)
        try:
            made = self._create(post, picture)
        except (TryLater, Refused):
            picture.reconsider()
            raise
        remember({"draft": made.ref})
        # Drafts with media or a link were reported going live at once: what counts is what Facebook says it is, and
        # while that is unknown no refusal of the next step may pass for "nothing is out".
        shown = self._read_back(made.ref) if made.live is None else made
        return shown if shown.live else self._publish(shown.ref, remember)

    def _create(self, post: Post, picture: Picture) -> Shown:
        """Make the post, and once more without its picture where Facebook does not take it as it is."""
        try:
            return self._make(post, picture)
        except Refused as err:
            if err.mendable or not picture.attached:
                raise
            picture.leave_out(err.text)
        return self._make(post, picture)

    def _make(self, post: Post, picture: Picture) -> Shown:
        """Make the post, as a draft or live. No `link`: a draft with one may go live by itself; the text has it."""
        feed = f"{self._settings.page_id}/feed"
        published = "true" if self._settings.publish is Publish.DIRECT else "false"  # the SDK would send "False"
        given = {"message": post.text, "published": published, **picture.attached}
        made = Shown.of(self._graph.write(feed, fields=SHOWN_FIELDS, **given).body)
        if not made.ref:
            raise InDoubt("Facebook took the post and gave no id for it", hint=LOOK)
        return made

    def _publish(self, draft: str, remember: Remember) -> Shown:
        """Publish a draft; a second time is the same as once."""
        try:
            done = self._graph.write(draft, is_published="true").body.get("success")
        except Gone as err:
            # Without forgetting it, every later attempt would come here again.
            remember({"draft": ""})
            raise InDoubt(f"the draft cannot be published: {err.text}", hint=LOOK) from err
        if done is not True:
            raise InDoubt("Facebook does not say that the draft was published", hint=LOOK)
        shown = self._read_back(draft)
        if not shown.live:
            raise InDoubt("Facebook took the post and still shows it as a draft", hint=LOOK)
        return shown

    def _read_back(self, ref: str) -> Shown:
        """Read what became of a post that was just sent: not to know that is doubt."""
        try:
            return self._read(ref)
        except (TryLater, Refused) as err:
            raise InDoubt(f"the post was sent and could not be read back: {err.text}", hint=LOOK) from err

    def _read(self, ref: str) -> Shown:
        shown = Shown.of(self._graph.read(ref, fields=SHOWN_FIELDS).body)
        if not shown.ref or shown.live is None:
            raise TryLater("Facebook does not say whether the post is public", hint=LOOK)
        return shown

    def _receipt(self, shown: Shown, note: str | None) -> Receipt:
        url = shown.url or f"https://www.facebook.com/{shown.ref}"
        return Receipt(shown.ref, url, replies=Replies.OPEN, note=note, data={"page": self._settings.page_id})

    def _by_draft(self, post: Post) -> Shown | None:
        """Read the draft an earlier attempt made; None when there was none or it is gone."""
        draft = post.token.get("draft")
        if not draft:
            return None
        try:
            return self._read(draft)
        except Gone:
            return None

    def _believe_after(self, post: Post) -> timedelta:
        """Say how old an attempt must be before "not there" is believed.

        A lost draft of plain text is invisible for good. Facebook makes a preview of an address in the text, and
        drafts with a preview or a picture were reported going live at once: such a one may only not be listed yet.
        """
        plain = "://" not in post.text and post.image is None
        return timedelta(0) if plain and self._settings.publish is Publish.TWO_PHASE else _LISTED_AFTER
