"""Which lines of the audit trail somebody wants, and what ran where from which digest, told by them. Pure.

Deployments are not kept apart: they are lines of the chain, and so cannot be changed unseen either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; "" and None leave it open.

    container: a name, or the beginning of an id. action: "container.run", "container" for all of them, "run" for
    whatever ends so. word: anywhere in who, what and how it ended, small letters for both cases.
    """

    since: datetime | None = None
    engine: str = ""
    container: str = ""
    action: str = ""
    word: str = ""

    def __call__(self, entry: Entry) -> bool:
        """Whether the line is one of them."""
        if self.since is not None:
            at = moment(entry)
            if at is None or at < self.since:
                return False
        if self.engine and self.engine not in _engines(entry):
            return False
        if self.container and not _about(entry, self.container):
            return False
        if self.action and not _acts(str(entry.get("action", "")), self.action):
            return False
        return not self.word or self.word.lower() in text(entry)


def moment(entry: Entry) -> datetime | None:
    """When it was written, None where that is no time."""
    try:
        at = datetime.fromisoformat(str(entry.get("at")))
    except ValueError:
        return None
    return at if at.tzinfo else None


def user(entry: Entry) -> str:
    """Who acted, "" where nobody is told; who became that user by sudo, and from where, beside it."""
    told = part(entry, "who")
    name = str(told.get("user") or "")
    behind = " ".join(str(told[key]) for key in ("sudo_user", "ssh_from") if told.get(key))
    return f"{name} ({behind})" if behind else name


def when(entry: Entry) -> str:
    """When it was, to the second, in this machine's zone."""
    at = moment(entry)
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "?"


def outcome(entry: Entry) -> str:
    """How it ended, with the error's title where it failed."""
    title = entry.get("title")
    return f"{entry.get('outcome')}: {title}" if title else str(entry.get("outcome") or "")


def part(entry: Entry, name: str) -> dict[str, Any]:
    """A part of the entry ("plan", "deployed"), {} where it has none."""
    found = entry.get(name)
    return found if isinstance(found, dict) else {}


def deployments(entries: Iterable[Entry]) -> list[Entry]:
    """Of these the lines that say what was brought to run, in their order."""
    return [entry for entry in entries if entry.get("outcome") == "done" and part(entry, "deployed")]


def _engines(entry: Entry) -> set[object]:
    return {entry.get("engine"), part(entry, "deployed").get("engine")}


def _about(entry: Entry, word: str) -> bool:
    parts = (part(entry, "object"), part(entry, "deployed"))
    names = {entry.get("subject"), *(one.get("name") for one in parts)}
    ids = [str(entry.get("container") or ""), *(str(one.get("id") or "") for one in parts)]
    return word in names or (len(word) >= 4 and any(id.startswith(word) for id in ids))


def _acts(action: str, word: str) -> bool:
    return action == word or action.startswith(f"{word}.") or action.endswith(f".{word}")


def text(entry: Entry) -> str:
    """What a word is looked for in, in small letters."""
    keys = ("action", "engine", "subject", "container", "outcome", "result", "title", "host")
    return " ".join([user(entry), *(str(entry.get(key) or "") for key in keys)]).lower()


__all__ = ["Entry", "Wanted", "deployments", "moment", "outcome", "part", "text", "user", "when"]
