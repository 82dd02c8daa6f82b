"""What image layers hold and waste: read once from the stream of an engine's `save`, kept by diff-ID, compared.

Knows the Protocol of engines and tar streams; no concrete engine, no screen.
"""

from __future__ import annotations
