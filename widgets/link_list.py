"""The links of a container, one under the cursor. Takes a report, opens nothing; tokens are shown only when told to."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from backends.model.service_link import LinkReport, ServiceLink
from widgets.dialogs import content_of
from widgets.line import Span, Tone
from widgets.text import inert, pad

_TITLE_CELLS = 16

_NONE = "Nothing to open here."


class LinkList(OptionList):
    """A line for each link, with how it is reached below it."""

    DEFAULT_CSS = """
    LinkList { height: 1fr; border: none; padding: 0 1; background: $background; }
    LinkList:focus { background-tint: transparent; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, markup=False)
        self._report = LinkReport()

    def show(self, report: LinkReport, *, tokens: bool) -> None:
        """Show a report; the cursor stays where it is."""
        at = self.highlighted
        self._report = report
        self.clear_options()
        self.add_options(
            [Option(_prompt(link, report, tokens=tokens)) for link in report.links] or [Option(_NONE, disabled=True)]
        )
        if report.links:
            self.highlighted = min(at or 0, len(report.links) - 1)

    @property
    def chosen(self) -> ServiceLink | None:
        """The link under the cursor."""
        return self._report.links[self.highlighted] if self.highlighted is not None else None


def _prompt(link: ServiceLink, report: LinkReport, *, tokens: bool) -> Content:
    address = inert(link.whole if tokens else link.masked)
    parts = [
        Span(f" {pad(inert(link.title), _TITLE_CELLS)}", Tone.ACCENT),
        Span(f" {address}", Tone.STRONG if link.url else Tone.PLAIN),
        Span(f"  {inert(link.why)}", Tone.DIM),
    ]
    lines = [tuple(parts)]
    below = " " * (_TITLE_CELLS + 2)
    if tunnel := report.tunnel(link):
        only = "only on that host; " if link.only_there else ""
        lines.append((Span(f"{below}{only}from your machine: {inert(tunnel)}", Tone.DIM),))
    if link.note:
        lines.append((Span(below + inert(link.note), Tone.DIM),))
    return Content("\n").join([content_of([one]) for one in lines])
