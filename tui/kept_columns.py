"""The chosen columns as a file of Tranship's own records: read and written. Not of the user's settings; may not draw.

Blocks: call it in a thread.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from backends.model.errors import Denied, Protocol
from backends.private_folder import private_folder
from widgets.column_choice import USUAL, ColumnChoice

FILE = "columns.json"
_MOST_BYTES = 64 * 1024  # no choice of columns is longer: whatever is, is not ours


def read_columns(state_dir: Path) -> ColumnChoice:
    """The choice kept in this folder, the usual columns where there is none. Raises Denied, Protocol."""
    import json

    path = state_dir / FILE
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES)
        kept = json.loads(text)
        order, hidden = kept["order"], kept["hidden"]
        if not all(isinstance(part, list) and all(isinstance(key, str) for key in part) for part in (order, hidden)):
            raise ValueError("“order” and “hidden” are lists of columns")
    except FileNotFoundError:
        return USUAL
    except OSError as error:
        raise Denied("The columns that you chose cannot be read", detail=str(error), hint=f"look at {path}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:  # a JSONDecodeError is a ValueError
        hint = f"choose them again, or remove {path}"
        raise Protocol("The columns that you chose cannot be read", detail=str(error), hint=hint) from error
    return ColumnChoice(tuple(order), frozenset(hidden))


def keep_columns(state_dir: Path, choice: ColumnChoice) -> None:
    """Keep the choice, 0600, in place of the one before; the usual columns are no file. Raises Denied."""
    import json

    path = state_dir / FILE
    fresh = path.with_name(f".{FILE}.{secrets.token_hex(4)}")
    try:
        if choice == USUAL:
            path.unlink(missing_ok=True)
            return
        private_folder(state_dir)
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"order": list(choice.order), "hidden": sorted(choice.hidden)}, file)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        hint = f"they hold until you leave; make room in {state_dir}, or let yourself write there"
        raise Denied("The columns that you chose cannot be kept", detail=str(error), hint=hint) from error
