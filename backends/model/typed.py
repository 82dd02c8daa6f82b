"""Whole numbers and pairs of ports as a person types them. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def wrong_number(text: str, least: int, most: int) -> str:
    """What is wrong with it, "" where nothing is."""
    fits = text.isascii() and text.isdigit() and least <= int(text) <= most
    return "" if fits else f"a number from {least} to {most}"


def read_ports(pairs: Iterable[str]) -> dict[int, int]:
    """ "8080:8081" as host ports of the source and of the copy. Raises ValueError where it is not that."""
    found: dict[int, int] = {}
    for pair in pairs:
        old, _, new = pair.partition(":")
        if not (_is_port(old) and (_is_port(new) or new == "0")):
            raise ValueError(f"{pair!r} is not OLD:NEW with ports from 1 to 65535, NEW 0 for any free one")
        if int(old) in found:
            raise ValueError(f"port {int(old)} is named twice")
        found[int(old)] = int(new)
    return found


def _is_port(text: str) -> bool:
    """Digits of ASCII only: others are decimals too (٨٠)."""
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) < 65536


__all__ = ["read_ports", "wrong_number"]
