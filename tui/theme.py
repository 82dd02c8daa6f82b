"""Tranship's own two themes, dark and light. May not know any widget."""

from __future__ import annotations

from textual.app import App
from textual.theme import Theme

# Muted sea colours: one hue for what is chosen and what leads on (cursor, keys, what was asked for), the traffic-light
# hues for states only, so that amber always warns. Text on background
# is above 11:1 and the quiet greys above 4.5:1 (WCAG 2.1, 1.4.3).
DARK = Theme(
    name="tranship-dark",
    primary="#5fb3c8",
    secondary="#8aa4bd",
    accent="#5fb3c8",
    success="#7dbb8a",
    warning="#d9a05b",
    error="#e07a7f",
    foreground="#d6dee6",
    background="#0f141a",
    surface="#141b23",
    panel="#1c2631",
    dark=True,
    variables={
        "border": "#2b3947",
        "border-blurred": "#222e3a",
        "block-cursor-background": "#24485a",
        "block-cursor-foreground": "#f2f7fa",
        "block-cursor-blurred-background": "#1c3340",
        "block-cursor-blurred-foreground": "#d6dee6",
        "input-selection-background": "#5fb3c8 35%",
        "scrollbar": "#2b3947",
        "scrollbar-background": "#0f141a",
        "scrollbar-corner-color": "#0f141a",
        "footer-background": "#141b23",
    },
)

LIGHT = Theme(
    name="tranship-light",
    primary="#176b7d",
    secondary="#4d6377",
    accent="#176b7d",
    success="#2c7a45",
    warning="#935a10",
    error="#b3373f",
    foreground="#1d2833",
    background="#f7f9fa",
    surface="#eef2f4",
    panel="#e1e8ec",
    dark=False,
    variables={
        "border": "#c3ced6",
        "border-blurred": "#d5dde3",
        "block-cursor-background": "#bcdfe8",
        "block-cursor-foreground": "#0d1720",
        "block-cursor-blurred-background": "#d7e8ed",
        "block-cursor-blurred-foreground": "#1d2833",
        "input-selection-background": "#176b7d 30%",
        "scrollbar": "#c3ced6",
        "scrollbar-background": "#f7f9fa",
        "scrollbar-corner-color": "#f7f9fa",
        "footer-background": "#eef2f4",
    },
)

THEMES = (DARK, LIGHT)


def other(name: str) -> str:
    """The name of the theme to toggle to."""
    return LIGHT.name if name == DARK.name else DARK.name


def begin_with(app: App[None], wanted: str) -> None:
    """Give an app that has not begun our themes and one of all, ours where there is no `wanted`.

    Before any CSS is parsed: where a theme is set later, Textual parses all of it again, and does no more (8.2).
    """
    for one in THEMES:
        app.register_theme(one)
    app.set_reactive(App.theme, wanted if wanted in app.available_themes else DARK.name)
    app.set_class(app.current_theme.dark, "-dark-mode", update=False)
    app.set_class(not app.current_theme.dark, "-light-mode", update=False)
    app._refresh_truecolor_filter(app.ansi_theme)
    app.stylesheet.set_variables(app.get_css_variables())
