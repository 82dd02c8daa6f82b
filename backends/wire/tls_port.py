"""Whether a port that breaks off when it is spoken to without TLS speaks that. Sends nothing but a TLS greeting."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from backends.model.errors import Denied
from backends.model.ids import EngineId
from backends.wire.endpoint import Endpoint, Scheme

GO_SAYS = "Client sent an HTTP request to an HTTPS server"
"""Of Go's net/http, in which dockerd and podman are written."""

_PROBE_S = 3.0


def without_tls(endpoint: Endpoint, engine: EngineId, detail: str) -> Denied:
    """The error of a port that speaks TLS and was spoken to without."""
    hint = "Set tls_dir for this engine, the folder of its ca.pem, cert.pem and key.pem"
    hint += " (for DOCKER_HOST: DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH)."
    return Denied(f"{endpoint} speaks TLS, and is spoken to without", detail=detail, hint=hint, engine=engine)


async def speaks_tls(endpoint: Endpoint, nobody: Callable[[], ssl.SSLContext]) -> bool:
    """Whether it answers a TLS greeting; False for what is no TCP port, or is spoken to by TLS already.

    nobody: makes, in a thread, a context that believes whoever answers: nothing is said to it, nor read of it.
    """
    if endpoint.scheme is not Scheme.TCP or endpoint.tls is not None:
        return False
    host, _, port = endpoint.address.rpartition(":")
    context = await asyncio.to_thread(nobody)
    try:
        async with asyncio.timeout(_PROBE_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=context)
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")  # it wants a certificate of ours
    except (OSError, ValueError, TimeoutError):
        return False
    writer.transport.abort()
    return True


__all__ = ["GO_SAYS", "speaks_tls", "without_tls"]
