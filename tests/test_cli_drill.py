"""`outagecast drill`: the newcomer's first command, from nothing to a page to look at."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from night import Done

from outagecast.cli.main import main
from outagecast.cli.surroundings import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from night import Night


def drill(folder: Path, *argv: str, env: dict[str, str] | None = None) -> Done:
    """A drill as a newcomer starts it: no config, no account."""
    out, err = io.BytesIO(), io.BytesIO()
    around = Surroundings(
        env={"HOME": str(folder), **(env or {})},
        cwd=folder,
        stdin=io.TextIOWrapper(io.BytesIO(b"")),
        stdout=io.TextIOWrapper(out, encoding="utf-8", write_through=True),
        stderr=io.TextIOWrapper(err, encoding="utf-8", write_through=True),
    )
    code = main(["drill", *argv], around)
    return Done(code, out.getvalue().decode(), err.getvalue().decode())


def test_a_drill_needs_nothing_and_shows_what_the_public_and_a_stranger_see(tmp_path: Path) -> None:
    done = drill(tmp_path, "--json", "power is out, ETA 2h")
    assert done.code == 0
    said = done.json
    assert said["schema"] == "outagecast.drill/1"
    assert (said["report"]["schema"], said["report"]["outcome"]) == ("outagecast.report/1", "sent")
    assert "power is out" in said["public"]["twitter"][0]["text"]
    assert "power is out" in said["public"]["facebook"][0]["text"]
    assert len(said["public"]["email"]) == 3
    assert said["stranger"].keys() == said["public"].keys()
    assert said["stranger"]["twitter"].startswith("refused (403)")
    assert "hidden" in said["stranger"]["facebook"]
    assert said["stranger"]["email"].startswith("refused: 550")
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_drill_leaves_your_own_config_and_journal_alone(night: Night) -> None:
    before = sorted(night.folder.rglob("*"))
    page = night.folder / "page.html"
    done = drill(
        night.folder, "--page", str(page), env={"OUTAGECAST_CONFIG": str(night.config), "OUTAGECAST_JOURNAL": "x.db"}
    )
    assert done.code == 0
    assert sorted(night.folder.rglob("*")) == sorted([*before, page])
    assert night.x.log == []


def test_a_drill_for_a_person_shows_all_three_and_where_the_page_is(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = drill(tmp_path, "--page", str(page))
    assert done.code == 0
    for words in ("twitter", "facebook", "email", "DRILL", "a stranger's reply", str(page)):
        assert words in done.out
    html = page.read_text(encoding="utf-8")
    assert "fiber cut, ETA 1h" in html
    assert not re.search(r"(src|href)=\"?http", html), "the page loads nothing"


def test_a_drill_with_words_that_cannot_go_out_says_so(tmp_path: Path) -> None:
    done = drill(tmp_path, "--json", "ask @somebody")
    assert (done.code, done.json["schema"]) == (2, "outagecast.error/1")
    assert "@somebody" in done.json["error"]


def test_a_markup_in_the_message_is_no_markup_on_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert drill(tmp_path, "--page", str(page), "<script>alert(1)</script> down").code == 0
    assert "<script>" not in page.read_text(encoding="utf-8")
