"""Who may do what over HTTP, until people have accounts: anyone reads, this machine alone writes.

And what a browser is told to allow: nothing but what we serve ourselves.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    # No inline script or style, no frame, no other host (W3C Content Security Policy Level 3).
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeaders:
    """Puts HEADERS on every response. Plain ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self._app(scope, receive, with_headers)


def this_machine_only(request: Request) -> None:
    """A dependency of what writes: the client is on this machine, and no other page made its browser ask.

    The Host is checked too: a foreign name that resolves to 127.0.0.1 (DNS rebinding) would agree with its Origin.

    Raises:
        HTTPException: 403 with the reason.
    """
    client = request.client.host if request.client else "an unknown address"
    if not is_loopback(client):
        raise HTTPException(403, f"only from the machine that runs the console, not from {client}")
    host = request.headers.get("host", "")
    if not is_loopback(urlsplit(f"//{host}").hostname or ""):
        raise HTTPException(403, f"ask for this machine by a loopback address, not for {host!r}")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        raise HTTPException(403, f"asked by a page of {origin}; only the console at {host} may")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "asked by a page of another site; only the console may")


def may_write(request: Request) -> bool:
    """Whether `this_machine_only` would let it."""
    try:
        this_machine_only(request)
    except HTTPException:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a name or address is that of the machine which asks."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1 on a socket that takes both
    return (mapped or address).is_loopback
