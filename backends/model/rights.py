"""The capabilities that each engine gives by itself, and those that a recipe ends up with. Pure; asks no engine.

Sources: moby daemon/pkg/oci/caps/defaults.go (DefaultCapabilities); containers-common pkg/config/default.go
(DefaultCapabilities). Podman also tells its own in `podman info`: EnginePolicy.default_caps.
"""

from __future__ import annotations

from collections.abc import Collection

from backends.model.ids import EngineKind
from backends.model.settings import SecuritySpec

PODMAN_CAPS = frozenset(
    {
        *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE"),
        *("CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"),
    }
)
DOCKER_CAPS = PODMAN_CAPS | {"CAP_MKNOD", "CAP_NET_RAW", "CAP_AUDIT_WRITE"}
ALL = "ALL"


def own_capabilities(kind: EngineKind) -> frozenset[str]:
    """What an engine of this kind gives to a container that asks for nothing."""
    return DOCKER_CAPS if kind is EngineKind.DOCKER else PODMAN_CAPS


def capabilities(security: SecuritySpec, own: Collection[str]) -> frozenset[str]:
    """What the container has; {"ALL"} where it has everything, with "-CAP_X" for what is taken from that.

    own: what its engine gives by itself.
    """
    if security.privileged:
        return frozenset({ALL})
    add, drop = frozenset(security.cap_add), frozenset(security.cap_drop)
    if ALL in add:
        return frozenset({ALL, *(f"-{name}" for name in drop)}) if drop else frozenset({ALL})
    return (frozenset() if ALL in drop else frozenset(own)) - drop | add


__all__ = ["ALL", "DOCKER_CAPS", "PODMAN_CAPS", "capabilities", "own_capabilities"]
