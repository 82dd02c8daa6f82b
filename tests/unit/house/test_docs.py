"""What the documents point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_within_the_repository_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    within = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in within if not (page.parent / link).exists()] == []


def anchors(page: Path) -> set[str]:
    """What a link into a page may name: its headings, as GitHub writes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_into_a_page_names_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]*)#([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    within = [(to, anchor) for to, anchor in links if not re.match(r"[a-z]+:", to)]
    assert [link for link in within if link[1] not in anchors(page.parent / link[0] if link[0] else page)] == []


def test_headings_are_found() -> None:
    assert {"command-line", "exit-codes", "look"} <= anchors(ROOT / "docs/commands.md")


def test_each_page_is_linked_from_another() -> None:
    texts = {page: page.read_text() for page in PAGES}
    for page in ROOT.glob("docs/*.md"):
        others = [text for other, text in texts.items() if other != page]
        assert any(f"{page.name})" in text or f"{page.name}#" in text for text in others), page.name
