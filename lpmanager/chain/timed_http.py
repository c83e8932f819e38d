"""HTTP whose answers have a time limit as a whole, and not for each byte."""

from __future__ import annotations

import io
import socket
import time
from functools import cache
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter


class TimedAdapter(HTTPAdapter):
    """Sends requests whose read timeout bounds all of the answer, from the first line on."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The connections to a host; through a proxy too."""
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _timed(pool.ConnectionCls)
        return pool


@cache
def _timed(connection: Any) -> Any:
    if connection.response_class is _TimedResponse:
        return connection
    return type(connection.__name__, (connection,), {"response_class": _TimedResponse})


class _TimedResponse(HTTPResponse):
    """An answer of which every part is read in what is left of the connection's time limit."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_TimedSocket(sock, self.fp.detach()))


class _TimedSocket(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        limit_s = sock.gettimeout()
        self._give_up = None if limit_s is None else time.monotonic() + limit_s
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._give_up is not None:
            left_s = self._give_up - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("the answer takes too long")
            self._sock.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
