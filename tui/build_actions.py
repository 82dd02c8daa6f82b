"""Actions of the screen of one build, and of the comparison of two images. Data only."""

from __future__ import annotations

from tui.action import Action, Scope

BUILD_ACTIONS: tuple[Action, ...] = (
    Action("build.open", "Open the image that was built", ("enter",), Scope.BUILD, footer=1, short="open"),
    Action("build.cancel", "Cancel it (asks first)", ("x",), Scope.BUILD, changes=True, footer=2, short="cancel"),
    Action("build.again", "Build again", ("r",), Scope.BUILD, changes=True, footer=3, short="again"),
    Action("build.part", "Steps, or output", ("tab",), Scope.BUILD, footer=4, short="part"),
)
COMPARE_ACTIONS: tuple[Action, ...] = (
    Action("compare.part", "Files, or configuration and layers", ("tab",), Scope.COMPARE, footer=1, short="part"),
    Action("compare.open", "Open or close a folder", ("enter",), Scope.COMPARE, footer=2, short="open"),
    Action("compare.changes", "Only what differs, or all", ("c",), Scope.COMPARE, footer=3, short="changes"),
    Action("compare.sort", "By size, or by name", ("o",), Scope.COMPARE, footer=4, short="sort"),
    Action("compare.filter", "Filter by path", ("slash",), Scope.COMPARE, footer=5, short="filter"),
    Action("compare.turn", "The other way round", ("r",), Scope.COMPARE, footer=6, short="turn"),
)
