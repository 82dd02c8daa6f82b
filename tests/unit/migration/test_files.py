"""Which of the files that a container has changed are carried, each once."""

from __future__ import annotations

from backends.migration.backup_source import carried_changes
from backends.migration.files import Carried, to_carry, to_delete
from backends.model.container import ChangedPath, ChangeKind

NAMES = ("/a", "/a-b", "/a/x", "/a/x/y", "/a.c")


def test_what_is_below_a_new_folder_is_named_once_whatever_its_neighbours_are_called() -> None:
    added = [ChangedPath(name, ChangeKind.ADDED) for name in NAMES]
    whole = ["/a", "/a-b", "/a.c"]
    assert to_carry(added, ()) == [Carried(name, False) for name in whole]
    assert [entry.path for entry in carried_changes(added)] == whole
    assert to_delete([ChangedPath(name, ChangeKind.DELETED) for name in NAMES], ()) == whole
