"""What could be published, before anything is: the preview, what is about to be taken back, what types can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from outagecast.screen_canvas import Canvas, one_line
from outagecast.stamps import moment
from outagecast.text import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.model import Announcement, Incident


class Plans(Canvas):
    """Plans, as text."""

    def preview(self, preview: dict[str, Any]) -> None:
        """What each channel would publish, to the letter."""
        for channel in preview["channels"]:
            self.line()
            self._preview_channel(channel)
        self.line()

    def _preview_channel(self, channel: dict[str, Any]) -> None:
        name = Text(channel["name"], "bold")
        if channel["error"]:
            self.line(Text.assemble(("✗ ", "red"), name, ": ", terminal(channel["error"])))
            self.line(Text.assemble(("      → ", "cyan"), terminal(channel["hint"] or "")))
        for post in channel["posts"]:
            self.line(Text.assemble(name, ("  " + _measure(channel, post), "dim")))
            if post["subject"]:
                self.line(Text.assemble(("  │ ", "cyan"), ("Subject: ", "dim"), terminal(post["subject"])))
            for line in post["text"].rstrip().split("\n"):
                self.line(Text.assemble(("  │ ", "cyan"), terminal(line)))
            if post["image"]:
                self.line(Text.assemble(("  ▣ ", "cyan"), terminal(_picture(post["image"]))))
            for warning in post["warnings"]:
                self.line(Text.assemble(("  ! ", "yellow"), terminal(warning)))

    def withdrawal(self, incident: Incident, news: Sequence[Announcement], channels: Sequence[str]) -> None:
        """What a person is about to take back, and where."""
        self.line()
        self.line(Text.assemble((one_line(incident.title), "bold"), ("  ·  " + one_line(incident.key), "dim")))
        for one in news:
            row = Text.assemble(("  ↶ ", "cyan"), f"{moment(one.at, self.zone)}  ", one_line(one.text))
            self.line(self.cut(row))
        self.line(f"  on {', '.join(channels)}", "dim")

    def types(self, types: Sequence[dict[str, Any]]) -> None:
        """What is installed and what it can do."""
        head = ("type", "reply control", "limit", "can")
        self.rows([[Text(word, "dim") for word in head], *(_type(one) for one in types if not one["error"])])
        for one in types:
            if one["error"]:
                self.line(Text.assemble(("✗ ", "red"), (terminal(one["type"]), "bold"), ": ", terminal(one["error"])))


def size(count: int) -> str:
    """A number of bytes as people say it."""
    for unit, most in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= most:
            return f"{count / most:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} bytes"


def _picture(image: dict[str, Any]) -> str:
    return f"{image['name']} ({image['type']}, {size(image['size'])}): {image['alt']}"


def _type(one: dict[str, Any]) -> list[Text]:
    limits = ", ".join(f"{limit['most']:,} {limit['unit']}" for limit in one["limits"])
    can = [word for word in ("threads", "find", "edit", "retract", "letters") if one[word]]
    can += [f"pictures up to {size(one['images'])}"] if one["images"] else []
    return [Text(terminal(one["type"]), "bold"), Text(one["replies"]), Text(limits or "none"), Text(", ".join(can))]


def _measure(channel: dict[str, Any], post: dict[str, Any]) -> str:
    said = []
    if post["parts"] > 1:
        said.append(f"part {post['part']} of {post['parts']}")
    if post["limit"] is not None:
        said.append(f"{post['length']:,} of {post['limit']:,} {post['unit']}")
    if channel.get("recipients") is not None:
        said.append(f"{channel['recipients']:,} letter{'' if channel['recipients'] == 1 else 's'}")
    if post.get("cost"):
        said.append(post["cost"])
    return " · ".join(said)
