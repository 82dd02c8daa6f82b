"""Moves a container from one engine to another and proves the copy equal; knows engines by their Protocol only.

`plan_migration` looks and changes nothing, `run_migration` carries a plan out or leaves all as before, `resume`
finishes a run that crashed and `undo` takes it back, `confirm` accepts a finished one, `verify_again` compares it anew.
"""

from backends.migration.again import verify_again
from backends.migration.confirm import confirm
from backends.migration.journal import MARK, Record, Status, list_journals
from backends.migration.planning import plan_migration
from backends.migration.resume import resume
from backends.migration.rollback import undo
from backends.migration.run import OnUpdate, run_migration

__all__ = [
    "MARK",
    "OnUpdate",
    "Record",
    "Status",
    "confirm",
    "list_journals",
    "plan_migration",
    "resume",
    "run_migration",
    "undo",
    "verify_again",
]
