"""Actions of the security screen and of the advisor's, and what opens them. Data only."""

from __future__ import annotations

from backends.model.capabilities import Capability
from tui.action import Action, Scope

SECURITY_FLEET_ACTIONS: tuple[Action, ...] = (
    Action("container.security", "Security: what is risky, what mends it", ("H",), Scope.CONTAINER,
           needs=Capability.RECIPES),
    Action("container.advice", "Advice: which engine serves it, and why", ("U",), Scope.CONTAINER,
           needs=Capability.RECIPES),
)  # fmt: skip

SECURITY_ACTIONS: tuple[Action, ...] = (
    Action("security.copy", "Copy the remedy", ("y",), Scope.SECURITY, footer=1, short="copy remedy"),
    Action("security.all", "All containers, or the one", ("a",), Scope.SECURITY, footer=2, short="all/one"),
    Action(
        "security.info", "With or without what is only worth knowing", ("i",), Scope.SECURITY, footer=3, short="info"
    ),
    Action(
        "security.signatures",
        "Verify signatures: asks the registries",
        ("v",),
        Scope.SECURITY,
        footer=5,
        short="signatures",
    ),
    Action(
        "security.scan",
        "Scan the images by Trivy or Grype, layer by layer",
        ("S",),
        Scope.SECURITY,
        footer=6,
        short="scan",
    ),
    Action("security.again", "Look again", ("r",), Scope.SECURITY, footer=4, short="look again"),
)

ADVICE_ACTIONS: tuple[Action, ...] = (
    Action("advice.copy", "Copy what would change it", ("y",), Scope.ADVICE, footer=1, short="copy remedy"),
    Action(
        "advice.against",
        "Only what counts against, or all",
        ("a",),
        Scope.ADVICE,
        footer=2,
        short="against/all",
    ),
    Action("advice.again", "Look again", ("r",), Scope.ADVICE, footer=3, short="look again"),
)
