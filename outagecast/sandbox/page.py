"""The page of `drill`: what the public would see on each platform, as one file that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --ink: #16181c; --soft: #5b6570; --line: #d9dee3; --paper: #ffffff; --ground: #f3f5f7;
  --good: #0a7a3f; --bad: #b3261e; --warm: #9a5b00 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa4af; --line: #333a41; --paper: #1b1f24;
  --ground: #101316; --good: #55c78a; --bad: #ff8a80; --warm: #f0b455 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", sans-serif }
header, main { max-width: 1120px; margin: 0 auto; padding: 0 20px }
header { padding-top: 36px; padding-bottom: 8px }
h1 { margin: 0; font-size: 26px; letter-spacing: -.01em }
header p { margin: 4px 0 0; color: var(--soft) }
.badge { display: inline-block; padding: 1px 10px; border: 1px solid currentColor; border-radius: 99px; font-size: 13px;
  color: var(--warm); margin-bottom: 10px; letter-spacing: .06em }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(310px, 1fr)); gap: 20px; padding-top: 20px;
  padding-bottom: 48px; align-items: start }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 14px; padding: 20px; min-width: 0 }
h2 { margin: 0 0 12px; font-size: 17px;
  display: flex; justify-content: space-between; gap: 12px; align-items: baseline }
h2 small { font-weight: 400; font-size: 13px }
.post { border-top: 1px solid var(--line); padding: 14px 0 }
.who { font-weight: 600 } .at { color: var(--soft); font-size: 13px; font-weight: 400 }
.words { white-space: pre-wrap; overflow-wrap: anywhere; margin: 6px 0 0 }
.mail .words { font: 13px/1.55 ui-monospace, "DejaVu Sans Mono", monospace }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 10px; margin: 0; font-size: 14px }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.stranger { border-top: 1px solid var(--line); padding-top: 12px; font-size: 14px; color: var(--soft);
  overflow-wrap: anywhere }
.stranger b { color: var(--ink) }
.good { color: var(--good) } .bad { color: var(--bad) } .warm { color: var(--warm) }
"""

_NAMES = {"twitter": "X", "facebook": "Facebook Page", "email": "Mailboxes"}
_REPLIES = {
    "closed": ("replies closed", "good"),
    "closed-unverified": ("replies closed, not verified", "warm"),
    "moderated": ("comments moderated", "good"),
    "none": ("no public replies", "good"),
    "open": ("replies OPEN", "bad"),
}


def render(drilled: dict[str, Any]) -> str:
    """The page, from the object that `drill --json` prints. Everything in it is escaped; it loads nothing."""
    incident = drilled["report"]["incident"]
    sections = "".join(_section(channel, drilled) for channel in drilled["report"]["channels"])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Drill: {escape(incident["title"])}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<span class="badge">DRILL</span>
<h1>{escape(incident["title"])}</h1>
<p>{escape(incident["key"])} · nothing of this left the machine</p>
</header>
<main>
{sections}</main>
</body>
</html>
"""


def _section(channel: dict[str, Any], drilled: dict[str, Any]) -> str:
    name = channel["name"]
    said, colour = _REPLIES.get(channel["replies"], (channel["outcome"], "warm"))
    shown = drilled["public"].get(name, [])
    posts = _letters(shown) if name == "email" else "".join(_post(one) for one in shown)
    stranger = drilled["stranger"].get(name, "")
    through = "bad" if stranger.startswith(("ACCEPTED", "VISIBLE")) else "good"
    return f"""<section class="{"mail" if name == "email" else "social"}">
<h2>{escape(_NAMES.get(name, name))} <small class="{colour}">{escape(said)}</small></h2>
{posts}<div class="stranger"><b>A stranger replies.</b> <span class="{through}">{escape(stranger)}</span></div>
</section>
"""


def _post(post: dict[str, Any]) -> str:
    who = escape(str(post.get("author", "Example Hosting")))
    at = escape(_time(post["created_at"]))
    return f"""<div class="post"><div class="who">{who} <span class="at">{at}</span></div>
<p class="words">{escape(post["text"])}</p></div>
"""


def _letters(letters: list[dict[str, Any]]) -> str:
    """The first letter whole; the others say the same, so their readers' names are enough."""
    if not letters:
        return ""
    others = ", ".join(letter["to"] for letter in letters[1:])
    also = f'<div class="post at">The same to {escape(others)}.</div>\n' if others else ""
    return _letter(letters[0]) + also


def _letter(letter: dict[str, Any]) -> str:
    rows = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(letter[key])}</dd>"
        for label, key in (("From", "from"), ("To", "to"), ("Subject", "subject"), ("List-Post", "list_post"))
        if letter.get(key)
    )
    return f"""<div class="post"><dl>{rows}</dl>
<p class="words">{escape(letter["text"].strip())}</p></div>
"""


def _time(at: str) -> str:
    return at.replace("T", " ")[:16] + " UTC"
