"""The links of the audit trail: how a line is written so that no byte of it, and no line, can change unseen. Pure.

Each line is one JSON object in one possible spelling. It has a number (`seq`), the hash of the line before it (`prev`)
and its own (`hash`, SHA-256 of the line without it). The head, a file of its own, has number and hash of the last line:
without it nobody could tell a log that was cut short from one that ends there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = 2
GENESIS = "0" * 64
"""`prev` of the very first line."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last line: its number, from 1, and its hash."""

    seq: int
    hash: str


START = Head(0, GENESIS)
"""Before the first line."""


def canonical(entry: Mapping[str, Any]) -> bytes:
    """The one spelling of an entry: keys sorted, nothing beyond ASCII, no space between."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def digest(entry: Mapping[str, Any]) -> str:
    """The hash of an entry as hex; "hash" itself is left out."""
    return hashlib.sha256(canonical({key: value for key, value in entry.items() if key != "hash"})).hexdigest()


def chained(entry: Mapping[str, Any], before: Head) -> tuple[bytes, Head]:
    """The entry as a line after `before`, with its end, and the head that it makes."""
    numbered = {**entry, "schema": SCHEMA, "seq": before.seq + 1, "prev": before.hash}
    own = digest(numbered)
    return canonical({**numbered, "hash": own}) + b"\n", Head(before.seq + 1, own)


def parsed(line: bytes) -> dict[str, Any]:
    """The entry of a line, without its end. Raises ValueError with what is wrong with it by itself."""
    try:
        entry: Any = json.loads(line)
        same = isinstance(entry, dict) and canonical(entry) == line
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no line of the audit trail") from error
    if not same:
        raise ValueError("it is not written as Tranship writes it")
    seq, own = entry.get("seq"), entry.get("hash")
    if not (isinstance(seq, int) and isinstance(own, str) and isinstance(entry.get("prev"), str)):
        raise ValueError("it has no place in the chain")
    if digest(entry) != own:
        raise ValueError("its hash is another than its content has: it was changed")
    return dict(entry)


def old_entries(content: bytes) -> list[dict[str, Any]]:
    """The entries of a log that was written before there was a chain (schema 1), none where it is none."""
    entries = []
    for line in content.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            return []
        if not isinstance(entry, dict) or entry.get("schema") != 1 or "hash" in entry:
            return []
        entries.append(entry)
    return entries


def head_of(entry: Mapping[str, Any]) -> Head:
    """What the head says after this entry."""
    return Head(int(entry["seq"]), str(entry["hash"]))


def head_bytes(head: Head) -> bytes:
    """The head as its file holds it, always of one length."""
    return f"{SCHEMA:4d} {head.seq:20d} {head.hash}\n".encode("ascii")


def read_head(content: bytes) -> Head | None:
    """The head of a file's content, None where that is none."""
    try:
        schema, seq, own = content.decode("ascii").split()
        head = Head(int(seq), own)
    except ValueError:
        return None
    return head if schema == str(SCHEMA) and head_bytes(head) == content else None


__all__ = [
    "GENESIS", "SCHEMA", "START", "Head", "canonical", "chained", "head_bytes", "head_of", "old_entries", "parsed",
    "read_head",
]  # fmt: skip
