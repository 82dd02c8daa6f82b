"""Which side of a stream broke it off. May not touch what passes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from backends.model.errors import BackendError


@dataclass(slots=True)
class Origin:
    """Remembers why the sending side broke off: the receiving side only sees that its stream ended."""

    error: BackendError | None = None


async def watched(chunks: AsyncIterator[bytes], origin: Origin) -> AsyncGenerator[bytes, None]:
    """The same chunks; an error of theirs is noted in `origin` too."""
    try:
        async for chunk in chunks:
            yield chunk
    except BackendError as error:
        origin.error = error
        raise
