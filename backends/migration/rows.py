"""The field table: every field of the recipe, once, in the order in which plans show them."""

from __future__ import annotations

from collections.abc import Mapping

from backends.migration import rows_network, rows_process, rows_resources, rows_security
from backends.migration.table import Row

GROUPS: Mapping[str, tuple[Row, ...]] = {
    "Process and image": rows_process.ROWS,
    "Ports, mounts, networks": rows_network.ROWS,
    "Namespaces, rights, devices": rows_security.ROWS,
    "Limits, health, log": rows_resources.ROWS,
}
"""The rows under the headings of docs/migration.md."""

TABLE: tuple[Row, ...] = tuple(row for rows in GROUPS.values() for row in rows)
BY_PATH: Mapping[str, Row] = {row.path: row for row in TABLE}
