"""Who else may read or change a file: whose it is, as `ls -l` has it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def others_can_read(path: Path) -> bool:
    """Whether somebody beside its owner (and root) may read it."""
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def everybody_can_change(path: Path) -> bool:
    """Whether any user of this machine may change the file, or put another one in its place."""
    return bool(path.stat().st_mode & stat.S_IWOTH) or open_folder(path) is not None


def open_folder(path: Path) -> Path | None:
    """The first folder on the way to it in which any user may put another thing in the place of what is there."""
    ways = (*path.absolute().parents, *path.resolve().parents)
    return next((folder for folder in dict.fromkeys(ways) if _everybodys(folder)), None)


def strangers(path: Path) -> bool:
    """Whether it belongs to somebody else, who may change it whatever its mode says; root is nobody else."""
    return path.stat().st_uid not in {0, os.geteuid()}


def group_can_change(path: Path) -> bool:
    """Whether its group may change the file; many systems give each user a group of their own."""
    return bool(path.stat().st_mode & stat.S_IWGRP)


def _everybodys(folder: Path) -> bool:
    mode = folder.stat().st_mode
    # With the sticky bit (/tmp) everybody may add files and nobody may replace another's.
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def told(path: Path) -> str:
    """Mode, owner and group, and who asks: `-rw-r----- of ann:staff, and you are bo`."""
    return f"{whose(path)}, and you are {_user(os.geteuid())}"


def whose(path: Path) -> str:
    """Mode, owner and group, as `ls -l` has them."""
    about = path.stat()
    return f"{stat.filemode(about.st_mode)} of {_user(about.st_uid)}:{_group(about.st_gid)}"


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return f"group {number}"
