"""Which side of a stream broke it off. May not touch what passes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from types import TracebackType

from backends.model.errors import BackendError


@dataclass(slots=True)
class Origin:
    """Remembers why the sending side broke off: the receiving side only sees that its stream ended.

    `with` it around the receiving, whose error is the sender's own then, where the sender has one.
    """

    error: BackendError | None = None

    def __enter__(self) -> None:
        """Nothing is asked of the receiving side yet."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if isinstance(error, BackendError) and self.error is not None and self.error is not error:
            raise self.error from error


async def watched(chunks: AsyncIterator[bytes], origin: Origin) -> AsyncGenerator[bytes, None]:
    """The same chunks; an error of theirs is noted in `origin` too."""
    try:
        async for chunk in chunks:
            yield chunk
    except BackendError as error:
        origin.error = error
        raise
