"""Moves a container from one engine to another and proves the copy equal; knows engines by their Protocol only.

`plan_migration` looks and changes nothing, `run_migration` carries a plan out or leaves all as before,
`undo` takes back a run that crashed.
"""

from backends.migration.journal import MARK, Record, Status, list_journals
from backends.migration.planning import plan_migration
from backends.migration.rollback import undo
from backends.migration.run import OnUpdate, run_migration

__all__ = ["MARK", "OnUpdate", "Record", "Status", "list_journals", "plan_migration", "run_migration", "undo"]
