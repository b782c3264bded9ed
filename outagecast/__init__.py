"""Announce an outage everywhere at once: never lost, never twice, replies closed."""

__version__ = "0.1.0"
