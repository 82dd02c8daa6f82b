"""Where this process stands: for the ways from a browser to an engine's ports. Asks the system, nobody else."""

from __future__ import annotations

import getpass
import os
import socket

from backends.links.reach import Ground, ground_of


def ground_here(endpoint: str) -> Ground:
    """endpoint: the engine's, as people read it."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())  # a container without a passwd entry
    return ground_of(endpoint, os.environ, user=user, machine=socket.gethostname())
