"""Tar headers and streams: read, written, followed and moved under another folder as they flow by. Unpacks nothing.

Formats: V7, POSIX ustar and pax, and GNU's long names and large numbers. A sparse member is refused wherever it is met:
no engine writes one, and its content is not what stands between its header and the next.
Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

from backends.tar.header import BLOCK, Member, pax_records
from backends.tar.reroot import reroot
from backends.tar.walk import EXTENSION_LIMIT, Walk
from backends.tar.write import member_header

__all__ = ["BLOCK", "EXTENSION_LIMIT", "Member", "Walk", "member_header", "pax_records", "reroot"]
