"""How the audit trail is drawn: a row for each line, one line in full, the state of its chain. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backends.services.audit_query import Entry, outcome, part, user, when
from backends.services.audit_read import Verified
from widgets.line import Line, Tone, line
from widgets.live_table import Column, Row
from widgets.text import inert, wrap

COLUMNS = (
    Column("when", "WHEN", 19, fixed=True, sortable=False),
    Column("action", "ACTION", 20, flex=1, most=26, fixed=True, sortable=False),
    Column("what", "WHAT", 14, flex=3, cut="middle", sortable=False),
    Column("engine", "ENGINE", 8, flex=1, most=18, sortable=False, priority=1),
    Column("who", "WHO", 8, flex=2, most=40, sortable=False, priority=2),
    Column("ended", "HOW IT ENDED", 24, flex=3, sortable=False, priority=3),
)
_LOOKS = {
    "done": ("✓", Tone.OK),
    "failed": ("✕", Tone.BAD),
    "cancelled": ("–", Tone.WARN),
    "started": ("▸", Tone.DIM),
}
_ABOVE = ("object", "plan", "report", "backup", "deployed")
_FIRST = ("name", "from", "to", "command", "image", "image_id", "digests", "steps")
_LABEL_CELLS = 12


def state_text(verified: Verified) -> str:
    """The state of the chain, for the title."""
    if not verified.ok:
        count = len(verified.flaws) + verified.more
        return f"✕ not whole: {count} flaw{'s' if count > 1 else ''}"
    if verified.last is None:
        return "nothing is written down yet"
    files = f"{verified.files} file{'s' if verified.files > 1 else ''}"
    return f"✓ whole: {verified.lines:,} lines in {files}"


def entry_row(place: int, entry: Entry) -> Row:
    """A line of the trail under its place among those that were read."""
    return Row(place, _cells(entry))


def audit_rows(lines: Sequence[Row], verified: Verified) -> list[Row]:
    """What is wrong with the chain first, then the lines."""
    rows: list[Row] = []
    if not verified.ok:
        rows.append(_heading("flaws", "Not whole", len(verified.flaws) + verified.more, Tone.BAD))
        for place, flaw in enumerate(verified.flaws):
            where = f"{flaw.file}:{flaw.line}" if flaw.line else flaw.file
            cells = (line(("✕ flaw", Tone.BAD)), line((inert(where), Tone.BAD)), line(inert(flaw.what)))
            rows.append(Row(("flaw", place), (*cells, (), (), ())))
        rows.append(_heading("lines", "Lines", len(lines), Tone.HEADING))
    return [*rows, *lines]


def _heading(key: str, title: str, count: int, tone: Tone) -> Row:
    return Row(("heading", key), (line((title, tone), (f"  {count}", Tone.DIM)),), heading=True)


def _cells(entry: Entry) -> tuple[Line, ...]:
    sign, tone = _LOOKS.get(str(entry.get("outcome")), ("·", Tone.DIM))
    return (
        line((when(entry), Tone.DIM)),
        line((f"{sign} ", tone), inert(str(entry.get("action") or "?"))),
        line(inert(str(entry.get("subject") or ""))),
        line(inert(str(entry.get("engine") or ""))),
        line((inert(user(entry)), Tone.DIM)),
        line((inert(str(entry.get("result") or outcome(entry))), Tone.BAD if entry.get("title") else Tone.DIM)),
    )


def entry_lines(entry: Entry, width: int) -> list[Line]:
    """One line of the trail in full."""
    sign, tone = _LOOKS.get(str(entry.get("outcome")), ("·", Tone.DIM))
    lines = [line((f"{sign} {inert(outcome(entry))}", tone), (f"  {inert(str(entry.get('action')))}", Tone.STRONG))]
    engine = [entry.get("engine"), entry.get("engine_version"), entry.get("engine_address")]
    facts: list[tuple[str, Any]] = [
        ("result", entry.get("result")),
        ("on", " · ".join(str(one) for one in engine if one)),
        ("by", " on ".join(filter(None, (user(entry), str(entry.get("host") or ""))))),
        ("id", entry.get("container")),
    ]
    facts += [(name, text) for name in _ABOVE for text in _told(part(entry, name))]
    facts += [("line", entry.get("seq")), ("hash", entry.get("hash")), ("before it", entry.get("prev"))]
    last = ""
    for name, text in facts:
        if text in (None, ""):
            continue
        lines += _fact("" if name == last else name, str(text), width)
        last = name
    return lines


def flaw_lines(what: str, width: int) -> list[Line]:
    """One flaw in full, and what to do about it."""
    advice = "Whoever can write to this account's files can have done it. Compare with a copy kept elsewhere."
    return [*_fact("wrong", what, width), *_fact("next", advice, width)]


def _fact(name: str, text: str, width: int) -> list[Line]:
    first, *rest = wrap(inert(text), max(8, width - _LABEL_CELLS)) or [""]
    label = f"{name:<{_LABEL_CELLS}}"
    blank = " " * _LABEL_CELLS
    return [line((label, Tone.DIM), first), *(line((blank, Tone.DIM), more) for more in rest)]


def _told(facts: Mapping[str, Any]) -> Iterator[str]:
    """ "name: value" of each fact that says something."""
    for key in sorted(facts, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)):
        text = _value(facts[key])
        if text:
            yield f"{key.replace('_', ' ')}: {text}"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(inner)}" for key, inner in value.items() if inner not in (None, "", []))
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


__all__ = ["COLUMNS", "audit_rows", "entry_lines", "entry_row", "flaw_lines", "state_text"]
