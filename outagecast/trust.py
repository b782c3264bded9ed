"""Whose certificates are believed: the system's, always verified."""

from __future__ import annotations

import os
import ssl


def system_trust() -> ssl.SSLContext:
    """Verify against the system's store; SSL_CERT_FILE and SSL_CERT_DIR are honoured.

    Where the store is also there as a folder of hashed names (Debian keeps both alike), certificates are read one by
    one as they are needed, instead of all 140 before the first byte: that takes 20 ms of every start.
    """
    folder = ssl.get_default_verify_paths().capath
    named = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    if not named and folder and _hashed(folder):
        return ssl.create_default_context(capath=folder)
    return ssl.create_default_context()


def _hashed(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.endswith(".0") for entry in entries)
    except OSError:
        return False
