# SPDX-License-Identifier: MIT
"""An ASGI application that keeps something of every request."""
kept = []


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] != "/page":
        kept.append(b"x" * 60000 + b"y")  # top
    body = b"%s?%s" % (scope["path"].encode(), scope["query_string"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
