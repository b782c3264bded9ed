"""The disk that the journal lies on: how much is free, and whether it is another machine's."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

MOUNTS = Path("/proc/self/mounts")
_NETWORK = re.compile(
    r"(fuse\.)?(nfs[34]?|cifs|smb3|smbfs|sshfs|s3fs|ceph|ceph-fuse|glusterfs|lustre|afs|davfs2?|9p|rclone|gcsfuse)"
)
_HOST = re.compile(r"(?://|[^@/\s]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)[:/]")


class Mount(msgspec.Struct, frozen=True):
    """A network disk: what kind it is, and the host it is on (empty where that does not show)."""

    kind: str
    host: str


def network_disk(path: Path, mounts: Path = MOUNTS) -> Mount | None:
    """The network disk that a path lies on; None where it lies on this machine, or nobody can say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None  # another system than Linux
    where = path.absolute().resolve()
    # What is mounted later on the same place hides what was there before.
    above = [line.split(" ")[:3] for line in lines if line.count(" ") >= 2 and where.is_relative_to(_place(line))]
    if not above:
        return None
    source, _, kind = max(reversed(above), key=lambda mount: len(_unescaped(mount[1])))
    return Mount(kind, _host(_unescaped(source))) if _NETWORK.fullmatch(kind) else None


def free_octets(folder: Path) -> int:
    """What may still be written there, by us."""
    about = os.statvfs(folder)
    return about.f_bavail * about.f_frsize


def _place(line: str) -> Path:
    return Path(_unescaped(line.split(" ")[1]))


def _unescaped(written: str) -> str:
    """A field of the table of mounts: a blank in it stands there as its octal number (fstab(5))."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), written)


def _host(source: str) -> str:
    found = _HOST.match(source)
    return found[1].strip("[]").lower() if found else ""
