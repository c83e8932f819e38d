"""A tiny HTTP server on the loopback that answers JSON-RPC as badly as a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

#: What was posted (a request, or a list of them) -> HTTP status and body; a str goes out as it is.
Answer = Callable[[Any], tuple[int, Any]]


@dataclass
class Loopback:
    """The server's URL, and everything that was posted to it."""

    url: str
    posts: list[Any] = field(default_factory=list)


@contextmanager
def loopback(answer: Answer, *, delay_s: float = 0.0) -> Iterator[Loopback]:
    """A server that answers each request so much later, but at the latest when it is closed."""
    closing = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.posts.append(posted)
            closing.wait(delay_s)
            status, body = answer(posted)
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the test's client has hung up on purpose

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen = Loopback(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield seen
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def result(value: Any) -> Answer:
    """Every request is answered by the same result."""

    def answer(posted: Any) -> tuple[int, Any]:
        many = posted if isinstance(posted, list) else [posted]
        answers = [{"jsonrpc": "2.0", "id": one["id"], "result": value} for one in many]
        return 200, answers if isinstance(posted, list) else answers[0]

    return answer


def always(status: int, body: Any) -> Answer:
    """The same status and body, whatever was asked."""
    return lambda _posted: (status, body)
