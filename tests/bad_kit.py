"""What the tests of bad input share: what every error must be, and that nothing is sent or lost by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from night import Done, Night

GOOD = ("post", "--json", "fiber cut, ETA 1h")
ESC = "\x1b"


def check_error(done: Done, code: int = 2) -> tuple[str, str]:
    """The error is one JSON object on standard output, and the same in words on standard error; its text and hint."""
    error = done.json
    assert error.keys() - {"problems"} == {"schema", "error", "hint", "exit_code"}
    assert (done.code, error["exit_code"], error["schema"]) == (code, code, "outagecast.error/1")
    assert "Traceback" not in done.err
    assert error["error"].split("\n")[0][:60] in done.err
    assert "→" in done.err
    assert error["hint"].strip()
    assert ESC not in done.err
    return error["error"], error["hint"]


def nothing_is_out(night: Night) -> bool:
    return not (night.tweets() or night.pages() or night.mails())


def nothing_is_lost(night: Night) -> None:
    """The command that is right works afterwards, and each platform has its post exactly once."""
    assert nothing_is_out(night)
    assert night.run(*GOOD).code == 0
    assert night.out_everywhere()
