"""Actions about registries, wherever they are reached from. Data only."""

from __future__ import annotations

from tui.action import Action, Scope

REGISTRY_ACTIONS: tuple[Action, ...] = (
    Action("fleet.pull", "Pull an image", (), Scope.FLEET, changes=True),
    Action("fleet.search", "Search registries for images", (), Scope.FLEET),
    Action("fleet.transfers", "Pulls and pushes of this session", (), Scope.FLEET),
    Action("fleet.logins", "Log in to a registry, or out", (), Scope.FLEET, changes=True),
    Action("images.pull", "Pull an image", ("p",), Scope.IMAGES, changes=True),
    Action("images.push", "Push to its registry (asks first)", ("u",), Scope.IMAGES, changes=True),
    Action("images.search", "Search registries", ("S",), Scope.IMAGES),
    Action("images.transfers", "Pulls and pushes of this session", ("v",), Scope.IMAGES),
    Action("images.logins", "Log in to a registry, or out", ("l",), Scope.IMAGES, changes=True),
    Action("transfers.cancel", "Cancel", ("x",), Scope.TRANSFERS, changes=True, footer=1, short="cancel"),
    Action("transfers.pull", "Pull an image", ("p",), Scope.TRANSFERS, changes=True, footer=2, short="pull"),
    Action("transfers.again", "Try it again", ("r",), Scope.TRANSFERS, changes=True, footer=3, short="again"),
    Action("transfers.search", "Search registries", ("S",), Scope.TRANSFERS, footer=4, short="search"),
    Action("transfers.logins", "Log in, or out", ("l",), Scope.TRANSFERS, changes=True, footer=5, short="login"),
    Action("transfers.clear", "Forget those that have ended", ("c",), Scope.TRANSFERS, footer=6, short="clear"),
    Action("search.pull", "Pull it", ("enter", "p"), Scope.SEARCH, changes=True, footer=1, short="pull"),
    Action("search.platforms", "For which platforms it is there", ("v",), Scope.SEARCH, footer=2, short="platforms"),
    Action("search.edit", "Other words", ("slash", "S"), Scope.SEARCH, footer=3, short="search"),
)
