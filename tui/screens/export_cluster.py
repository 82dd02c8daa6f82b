"""From the export's screen to a registry and to a cluster: what is asked before, what is said after. Does neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.model.errors import BackendError
from backends.model.events import Link
from backends.model.ids import EngineKind
from tui.clusters import apply_words
from widgets.dialogs import Choice, ChoiceDialog, ConfirmDialog, InputDialog
from widgets.line import BLANK, Tone, line
from widgets.text import inert

if TYPE_CHECKING:
    from tui.export_commands import Pushed
    from tui.export_messages import ApplyChecked, ExportApplied, ImagesPushed
    from tui.screens.export import ExportScreen


class ClusterExport:
    """Of one export's screen. images: what the recipes call them. pushed: those that are at a registry by now."""

    def __init__(self, screen: ExportScreen) -> None:
        self._screen = screen
        self._prefix = ""
        self.images: tuple[str, ...] = ()
        self.pushed: Pushed = {}

    # -- images ----------------------------------------------------------------------------------
    def push(self) -> None:
        """Ask whereto, then push."""
        screen = self._screen
        if screen.ready() is None:
            return

        def go(prefix: str | None) -> None:
            if prefix:
                self._prefix = prefix
                screen.notify("Pushing the images …", timeout=4, markup=False)
                screen.tranship.commands.exports.push(screen.containers(), prefix, screen.post_message)

        note = f"{', '.join(sorted(set(self.images)))}; with the login of its own engine"
        title = "Push the images below REGISTRY/PREFIX"
        screen.app.push_screen(InputDialog(title, value=self._prefix, placeholder="ghcr.io/team", note=note), go)

    def take_pushed(self, message: ImagesPushed) -> None:
        """Name them so from now on."""
        self.pushed = {**self.pushed, **message.pushed}
        if message.error is not None:
            self._screen.tranship.refuse(str(message.error))
            return
        names = ", ".join(push.reference for push, _ in message.pushed.values())
        self._screen.notify(f"Pushed: {names}", timeout=8, markup=False)

    # -- the cluster -----------------------------------------------------------------------------
    def apply(self) -> None:
        """Choose the cluster where there are several, and have it look first."""
        screen = self._screen
        made = screen.ready()
        if made is None:
            return
        if screen.target != "kubernetes":
            screen.tranship.refuse("Only manifests are applied to a cluster: press 4 first.")
            return
        clusters = {
            id.name: id
            for id, view in screen.tranship.view.engines.items()
            if id.kind is EngineKind.KUBERNETES and view.connection.link is Link.CONNECTED
        }
        if not clusters:
            screen.tranship.refuse("No cluster is connected: start tranship with --kube CONTEXT.")
            return

        def go(name: str | None) -> None:
            if name is not None:
                screen.tranship.commands.exports.check(made, self.images, clusters[name], screen.post_message)

        if len(clusters) == 1:
            go(next(iter(clusters)))
            return
        choices = [
            Choice(name, name, screen.tranship.view.engines[id].endpoint) for name, id in sorted(clusters.items())
        ]
        screen.app.push_screen(ChoiceDialog("Apply to which cluster?", choices), go)

    def ask(self, message: ApplyChecked) -> None:
        """The cluster would take it: shall it?"""
        screen = self._screen
        made = screen.ready() if message.error is None else None
        if message.error is not None:
            screen.tranship.refuse(self._words(message.error))
        if made is None:
            return

        def go(yes: bool | None) -> None:
            if yes:
                screen.tranship.commands.exports.apply(made, message.cluster, screen.post_message)

        body = []
        for one in message.objects:
            where = f" in {inert(one.namespace)}" if one.namespace else ""
            mark = ("  new", Tone.OK) if one.created else ("  changed", Tone.WARN)
            body.append(line(inert(str(one)), (where, Tone.DIM), mark))
        body += [BLANK, line(("The cluster has checked all of it.", Tone.DIM))]
        title = f"Apply to {inert(message.cluster.name)}?"
        screen.app.push_screen(ConfirmDialog(title, body, yes="Apply", no="Leave"), go)

    def tell(self, message: ExportApplied) -> None:
        """How it ended."""
        if message.error is not None:
            self._screen.tranship.refuse(self._words(message.error))
            return
        done = f"{message.cluster}: applied. {apply_words(message.objects)}"
        self._screen.notify(done, timeout=8, markup=False)

    @staticmethod
    def _words(error: BackendError) -> str:
        return f"{error}. {error.hint}" if error.hint else str(error)


__all__ = ["ClusterExport"]
