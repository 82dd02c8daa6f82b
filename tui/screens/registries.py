"""The doors to registries, the same from the fleet, the images, the transfers and the search. Does no work itself.

Dialogs and screens are imported when they are first opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from backends.model.capabilities import Capability
from backends.model.ids import EngineId
from tui.image_messages import LoginsSeen
from widgets.format import short_image
from widgets.line import Tone, line
from widgets.text import inert

if TYPE_CHECKING:
    from backends.model.image_sharing import ImageShare
    from backends.model.transfer_state import TransferAsk
    from tui.screens.base import TranshipScreen
    from widgets.registry_dialogs import PullWish

NEW_LOGIN = "new"


class Registries:
    """What a screen offers about registries. Its `acts` stand under the screen's own ids ("images.pull")."""

    def __init__(self, screen: TranshipScreen) -> None:
        self._screen = screen

    def acts(self, scope: str) -> Mapping[str, Callable[[], object]]:
        """By action id. scope: the first part of the screen's ids."""
        return {
            f"{scope}.pull": self.pull,
            f"{scope}.search": self.search,
            f"{scope}.transfers": self.transfers,
            f"{scope}.logins": self.logins,
        }

    @property
    def _engines(self) -> list[EngineId]:
        return self._screen.tranship.view.offering(Capability.STORES)

    # -- pull ------------------------------------------------------------------------------------
    def pull(self, reference: str = "", engine: EngineId | None = None, platform: str = "") -> None:
        """Ask what to pull, and where to. reference, platform: what stands in the fields. engine: None = the first."""
        from widgets.registry_dialogs import PullDialog

        app, engines = self._screen.tranship, self._engines
        if not engines:
            app.refuse("No engine is connected.")
            return
        names = {container.image for container in app.view.containers.values()}
        dialog = PullDialog(
            engines,
            [engine] if engine in engines else engines[:1],
            reference=reference,
            platform=platform,
            known=sorted({short_image(name) for name in names if name}),
            check=_no_name,
            check_platform=_no_platform,
            meaning=_meaning,
        )
        app.push_screen(dialog, self._pull)

    def _pull(self, wish: object) -> None:
        from widgets.registry_dialogs import PullWish

        if isinstance(wish, PullWish):
            self.start(_asks(wish))

    def start(self, asks: Sequence[TransferAsk]) -> None:
        """Begin, and show how far they are."""
        self._screen.tranship.commands.transfers.start(asks)
        self.transfers()

    def transfers(self) -> None:
        """The pulls and pushes of this session."""
        from tui.screens.transfers import TransfersScreen

        app = self._screen.tranship
        if not app.commands.transfers.states:
            app.refuse("Nothing was pulled or pushed in this session.")
        elif not isinstance(app.screen, TransfersScreen):
            app.push_screen(TransfersScreen())

    # -- push ------------------------------------------------------------------------------------
    def push(self, share: ImageShare | None) -> None:
        """Ask under which of its names an image is pushed, and whether it is."""
        from widgets.dialogs import Choice, ChoiceDialog

        app = self._screen.tranship
        if share is None:
            app.refuse("No image is selected.")
        elif not share.image.tags:
            app.refuse("It has no name that says where to push it: give it one first (t).")
        elif len(share.image.tags) == 1:
            self._ask_to_push(share, share.image.tags[0])
        else:
            choices = [Choice(tag, short_image(tag)) for tag in share.image.tags]

            def chosen(tag: str | None) -> None:
                if tag is not None:
                    self._ask_to_push(share, tag)

            app.push_screen(ChoiceDialog("Push under which name?", choices), chosen)

    def _ask_to_push(self, share: ImageShare, tag: str) -> None:
        from backends.model.reference import parse_reference
        from backends.model.transfer_state import TransferAsk
        from widgets.dialogs import ConfirmDialog

        engine = share.image.key.engine
        where = line(("to ", Tone.DIM), inert(parse_reference(tag).domain), (f" from {engine}", Tone.DIM))
        takes = line(("An image that has this name there loses it.", Tone.DIM))

        def do(confirmed: bool | None) -> None:
            if confirmed:
                self.start([TransferAsk(engine, tag, push=True)])

        dialog = ConfirmDialog(f"Push {short_image(tag)}?", [where, takes], yes="Push", no="Leave")
        self._screen.tranship.push_screen(dialog, do)

    # -- search and logins -----------------------------------------------------------------------
    def search(self) -> None:
        """Search registries."""
        from tui.screens.search import SearchScreen

        self._screen.app.push_screen(SearchScreen())

    def logins(self) -> None:
        """What is logged in, to log out; or one login more."""
        self._screen.tranship.commands.transfers.logins(self._logins_seen)

    def _logins_seen(self, message: object) -> None:
        from widgets.dialogs import Choice, ChoiceDialog

        assert isinstance(message, LoginsSeen)
        for error in message.errors:
            self._screen.tranship.fail(error)
        known = [(engine, login) for engine, logins in sorted(message.logins.items()) for login in logins]
        if not known:
            self._log_in()
            return
        choices = [
            Choice(str(at), f"Log out of {login.registry} on {engine}", f"{login.username}, in {login.store}")
            for at, (engine, login) in enumerate(known)
        ]

        def chosen(answer: str | None) -> None:
            if answer == NEW_LOGIN:
                self._log_in()
            elif answer is not None:
                engine, login = known[int(answer)]
                self._ask_to_log_out(engine, login.registry)

        dialog = ChoiceDialog("Logins at registries", [Choice(NEW_LOGIN, "Log in …"), *choices])
        self._screen.app.push_screen(dialog, chosen)

    def _log_in(self) -> None:
        from widgets.registry_dialogs import LoginDialog

        engines = self._engines
        if engines:
            self._screen.app.push_screen(LoginDialog(engines, check=_no_registry), self._take_login)
        else:
            self._screen.tranship.refuse("No engine is connected.")

    def _take_login(self, wish: object) -> None:
        from backends.model.transfer import registry_name
        from widgets.registry_dialogs import LoginWish

        if isinstance(wish, LoginWish):
            registry = registry_name(wish.registry)
            self._screen.tranship.commands.transfers.log_in(wish.engine, registry, wish.credentials)

    def _ask_to_log_out(self, engine: EngineId, registry: str) -> None:
        from widgets.dialogs import ConfirmDialog

        def do(confirmed: bool | None) -> None:
            if confirmed:
                self._screen.tranship.commands.transfers.log_out(engine, registry)

        words = "The password goes from the engine's own store; a new login needs it again."
        dialog = ConfirmDialog(f"Log out of {registry} on {engine}?", words, yes="Log out", no="Stay", destructive=True)
        self._screen.app.push_screen(dialog, do)


def _asks(wish: PullWish) -> list[TransferAsk]:
    from backends.model.transfer_state import TransferAsk

    return [
        TransferAsk(engine, wish.reference, platform=wish.platform, insecure=wish.insecure) for engine in wish.engines
    ]


def _no_name(text: str) -> str:
    from backends.model.reference import parse_reference

    if not text:
        return "Say which image."
    try:
        parse_reference(text)
    except ValueError as error:
        return str(error)
    return ""


def _no_platform(text: str) -> str:
    from backends.model.transfer import parse_platform

    try:
        if text:
            parse_platform(text)
    except ValueError as error:
        return str(error)
    return ""


def _no_registry(text: str) -> str:
    from backends.model.transfer import registry_name

    try:
        registry_name(text)
    except ValueError as error:
        return str(error)
    return ""


def _meaning(text: str) -> str:
    """What a short name is for Docker; Podman goes by its own settings, and says it when it pulls."""
    from backends.model.reference import full_reference

    full = full_reference(text)
    return f"{full} on Docker; Podman has its own rules" if not full.startswith(text.partition(":")[0]) else ""


__all__ = ["Registries"]
