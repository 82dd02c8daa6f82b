"""Who may come in to the screen in a browser: by this machine's names, with the token, from our page. No server."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from tui.cli.gpus_serve import is_loopback

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

_HEADERS = {
    # The page is ours alone: no other may frame it, and nothing is fetched from elsewhere.
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NO = "open the address that `tranship web` printed: it has the token\n"


class Door:
    """The token of one server, made anew at each start, and what asks for it."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)  # what the browser keeps, so that the token leaves its address line
        self._cookie = f"tranship-{secrets.token_hex(4)}"  # a browser's cookies know no port: one for each server

    def middleware(self) -> Middleware:
        """What every request passes.

        403: a name that is not this machine's (DNS rebinding), another page's request, no token or a wrong one.
        """

        @web.middleware
        async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not _is_ours(request):
                return _headed(web.Response(status=403, text="this page answers to itself on this machine only\n"))
            given = request.query.get("token")
            if given is not None and hmac.compare_digest(given.encode(), self.token.encode()):
                answer = web.Response(status=303, headers={"Location": "/"})
                answer.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict", path="/")
                return _headed(answer)
            if not hmac.compare_digest(request.cookies.get(self._cookie, "").encode(), self._session.encode()):
                return _headed(web.Response(status=403, text=_NO))
            try:
                return _headed(await handler(request))
            except web.HTTPException as refused:
                _headed(refused)
                raise

        return ask


def _is_ours(request: web.Request) -> bool:
    """Whether the name that was asked for is this machine's, and the page that asks, where one does, is ours."""
    origin = request.headers.get("Origin")
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
        from_ours = origin is None or urlsplit(origin).netloc == request.host
    except ValueError:
        return False
    return is_loopback(host) and from_ours


def _headed(answer: web.StreamResponse) -> web.StreamResponse:
    if not answer.prepared:  # a websocket is by now
        answer.headers.update(_HEADERS)
    return answer
