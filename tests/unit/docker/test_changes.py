"""What a container has changed of its image: kinds, order, and nothing of what is mounted."""

from __future__ import annotations

from backends.engines.docker_translate import changed_paths, mount_points
from backends.model.container import ChangedPath, ChangeKind


def test_kinds_and_order() -> None:
    items = [{"Path": "/b", "Kind": 1}, {"Path": "/c", "Kind": 2}, {"Path": "/a", "Kind": 0}]
    assert changed_paths(items, ()) == (
        ChangedPath("/a", ChangeKind.CHANGED),
        ChangedPath("/b", ChangeKind.ADDED),
        ChangedPath("/c", ChangeKind.DELETED),
    )


def test_mounts_are_no_part_of_it() -> None:
    item = {
        "Mounts": [{"Destination": "/data"}, {"Destination": "/srv/models/"}],
        "HostConfig": {"Tmpfs": {"/scratch": "size=5m"}},
    }
    paths = ["/data", "/data/x", "/database", "/srv", "/srv/models", "/scratch", "/scratch/deep/er", "/x/data"]
    seen = changed_paths([{"Path": path, "Kind": 1} for path in paths], mount_points(item))
    assert [change.path for change in seen] == ["/database", "/srv", "/x/data"]
    assert mount_points({}) == frozenset()
