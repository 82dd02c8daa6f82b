"""A registry of our own on 127.0.0.1 for the length of one move: takes what one engine pushes, gives the other what it
lacks. Knows no engine and no plan."""

from backends.registry.server import MARK, Registry, load_server, open_registry

__all__ = ["MARK", "Registry", "load_server", "open_registry"]
