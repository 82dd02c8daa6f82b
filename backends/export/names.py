"""Names made fit for a format's rules, no two alike. Pure."""

from __future__ import annotations

import hashlib
import re

DNS_LABEL = 63
"""Longest label. Source: RFC 1123; Kubernetes, "Object Names and IDs"."""

_NOT_DNS = re.compile(r"[^a-z0-9-]+")
_NOT_KEY = re.compile(r"[^A-Za-z0-9._-]+")


def dns_label(text: str, longest: int = DNS_LABEL) -> str:
    """Small letters, digits and "-", begun and ended by a letter or digit, begun by a letter (as a Service's)."""
    name = _NOT_DNS.sub("-", text.lower()).strip("-")
    if not name or not name[0].isalpha():
        name = f"c-{name}".rstrip("-") if name else "container"
    return name if len(name) <= longest else f"{name[: longest - 7].rstrip('-')}-{_digest(text)}"


def compose_key(text: str) -> str:
    """A key of `services`, `volumes` or `networks`. Source: compose-spec.json, patternProperties."""
    return _NOT_KEY.sub("-", text.strip()) or "container"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:6]


class Names:
    """Gives every text a name of its own; the same text always the same one. longest: letters."""

    def __init__(self, *, dns: bool, longest: int = DNS_LABEL) -> None:
        self._dns, self._longest = dns, longest
        self._by_text: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, text: str) -> str:
        """The name. One that is taken by another text gets the end of a digest."""
        if text not in self._by_text:
            name = self._fit(text)
            if name in self._taken:
                name = self._fit(f"{name[: self._longest - 7]}-{_digest(text)}")
            self._taken.add(name)
            self._by_text[text] = name
        return self._by_text[text]

    def _fit(self, text: str) -> str:
        return dns_label(text, self._longest) if self._dns else compose_key(text)


__all__ = ["DNS_LABEL", "Names", "compose_key", "dns_label"]
