"""Dialogs by keys alone: a hasty Enter does nothing, text from outside is never markup."""

from __future__ import annotations

from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Static

from backends.model.errors import Conflict
from tests.snapshots.samples import DOCKER
from widgets.dialogs import Choice, ChoiceDialog, ConfirmDialog, ErrorDialog, InputDialog


async def answer(dialog: ModalScreen[object], *keys: str) -> object:
    """What the dialog answers after these keys; "open" where it is still there."""
    app: App[None] = App()
    answers: list[object] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    return answers[0] if answers else "open"


def confirm() -> ModalScreen[object]:
    """A destructive question."""
    return ConfirmDialog("Remove web on docker?", "It is gone then.", yes="Remove", destructive=True)  # type: ignore[return-value]  # answers are only compared


async def test_enter_at_once_says_no() -> None:
    assert await answer(confirm(), "enter") is False


async def test_yes_and_no_by_letter_arrow_and_escape() -> None:
    assert await answer(confirm(), "y") is True
    assert await answer(confirm(), "n") is False
    assert await answer(confirm(), "escape") is False
    assert await answer(confirm(), "right", "enter") is True
    assert await answer(confirm(), "tab", "enter") is True


def rename() -> ModalScreen[object]:
    """A question for a name without spaces."""
    dialog = InputDialog("Rename", value="web", validate=lambda name: "no spaces" if " " in name else "")
    return dialog  # type: ignore[return-value]  # answers are only compared


async def test_input_takes_only_what_is_right() -> None:
    assert await answer(rename(), "end", "2", "enter") == "web2"
    assert await answer(rename(), "end", "space", "enter") == "open"
    assert await answer(rename(), "escape") is None


async def test_a_choice_is_made_by_arrows() -> None:
    choices = [Choice("a", "podman"), Choice("b", "podman-rootless", "no limits")]
    assert await answer(ChoiceDialog("Where to?", choices), "down", "enter") == "b"  # type: ignore[arg-type]  # as above


async def test_an_error_shows_its_words_as_data() -> None:
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        error = Conflict("The [b]name[/b] is taken", detail="by \x1b[2J[red]x", hint="rename it", engine=DOCKER)
        app.push_screen(ErrorDialog(error))
        await pilot.pause()
        shown = "\n".join(str(widget.render()) for widget in app.screen.query(Static))
        assert "✕ The [b]name[/b] is taken" in shown
        assert "on docker\n\nby [red]x\n\n→ rename it" in shown
        await pilot.press("enter")
        await pilot.pause()
        assert not isinstance(app.screen, ErrorDialog)
