"""The links of one container: its services' addresses, to be opened, copied, or reached over ssh. Changes nothing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from backends.model.container import Container
from backends.model.ids import EngineKind
from backends.model.service_link import LinkReport
from tui.action import Scope
from tui.actions import bindings
from tui.browser import opener
from tui.messages import LinkOpened, LinksFound
from tui.screens.base import SubScreen
from tui.screens.frame import KeyBar, TitleBar
from widgets.line import BLANK, Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.link_list import LinkList
from widgets.text import inert, paragraph


class LinkScreen(SubScreen):
    """What can be opened of a container."""

    SCOPES: ClassVar = (Scope.LINKS,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LINKS)
    AUTO_FOCUS = "LinkList"

    def __init__(self, container: Container) -> None:
        super().__init__()
        self._container = container
        self._report: LinkReport | None = None
        self._tokens = False
        self._browser = bool(opener(os.environ))

    def compose(self) -> ComposeResult:
        """Title, links, what is said of them, keys."""
        yield TitleBar(f"Links of {inert(self._container.name)} on {self._container.key.engine}")
        yield LinkList(id="links")
        yield LinesPane(id="link-notes")
        yield KeyBar(*self.SCOPES, Scope.BACK, Scope.APP, read_only=self.tranship.settings.readonly)

    def on_mount(self) -> None:
        """Look."""
        self.query_one("#link-notes").can_focus = False
        self.show_modes()
        if not self._browser:
            self.query_one(KeyBar).say({"links.open": "copy", "links.copy": ""})
        self._look()

    def _look(self) -> None:
        self._say([line(("Looking into its log …", Tone.DIM))])
        self.tranship.commands.watching.find_links(self._container, self.post_message)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Opening, copying, showing."""
        return {
            "links.open": self._open,
            "links.copy": self._copy,
            "links.tunnel": self._copy_tunnel,
            "links.tokens": self._toggle_tokens,
            "links.attach": self._copy_attach,
            "links.reload": self._look,
        }

    @on(LinksFound)
    def _found(self, message: LinksFound) -> None:
        if message.error is not None:
            self.tranship.fail(message.error, asked="Links: ")
        self._report = message.report
        self._draw()

    def _draw(self) -> None:
        report = self._report
        if report is None:
            return
        self.query_one(LinkList).show(report, tokens=self._tokens)
        notes: list[str] = list(report.remarks)
        if not report.links and not report.remarks:
            notes.append("No port is published, and its log names no address.")
        if report.links and not self._browser:
            notes.append("No browser can be opened from here (no DISPLAY, WAYLAND_DISPLAY, BROWSER): copy instead")
        if self._container.key.engine.kind is EngineKind.PODMAN and report.attach:
            notes.append("VS Code reaches Podman with the setting dev.containers.dockerPath = podman")
        self._say([part for note in notes for part in paragraph(note, Tone.DIM, self.size.width - 2, indent="")])

    def _say(self, lines: list[Line]) -> None:
        self.query_one("#link-notes", LinesPane).show_lines(lines or [BLANK])

    @on(LinkList.OptionSelected)
    def _selected(self) -> None:
        self.action_act("links.open")

    def _open(self) -> None:
        link = self.query_one(LinkList).chosen
        if link is None:
            self.tranship.refuse("There is no link.")
        elif self._browser and link.url:
            self.tranship.commands.watching.open_address(link.whole, self.post_message)
        else:
            self._copy()

    @on(LinkOpened)
    def _opened(self, message: LinkOpened) -> None:
        if message.wrong:
            self.tranship.refuse(f"Not opened: {inert(message.wrong)}. Copy the address instead (y).")
        else:
            self.notify("Opened in your browser.", timeout=3, markup=False)

    def _copy(self) -> None:
        link = self.query_one(LinkList).chosen
        if link is None:
            self.tranship.refuse("There is no link.")
        else:
            self._take(link.whole, f"Copied: {link.masked}")

    def _copy_tunnel(self) -> None:
        link = self.query_one(LinkList).chosen
        tunnel = self._report.tunnel(link) if self._report is not None and link is not None else ""
        if tunnel:
            self._take(tunnel, f"Copied: {tunnel}")
        else:
            self.tranship.refuse("It is reached from this machine; no ssh line is needed.")

    def _copy_attach(self) -> None:
        address = self._report.attach if self._report is not None else ""
        if address:
            self._take(f"code --folder-uri {shlex.quote(address)}", "Copied the line that opens VS Code in it.")
        else:
            self.tranship.refuse("VS Code can be attached to a container that runs.")

    def _take(self, text: str, said: str) -> None:
        self.app.copy_to_clipboard(text)
        self.notify(inert(said), timeout=4, markup=False)

    def _toggle_tokens(self) -> None:
        self._tokens = not self._tokens
        self._draw()
