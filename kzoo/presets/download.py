"""Files of a web server, by https only, with limits on time and size."""

import contextlib
import http.client
import socket
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_SILENCE = 30.0  # seconds without a byte
_SECONDS = 60.0  # for a small file; a large one may take as long as the slowest connection does
_BYTES_PER_SECOND = 2**17  # of the slowest connection


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if urlsplit(newurl).scheme != "https":
            raise ConnectionError(f"{req.full_url} redirects to {newurl}, expected https://")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Connection(http.client.HTTPSConnection):
    """Ends when its time is over, also if the server sends a byte of the header now and then."""

    def connect(self) -> None:
        timer = threading.Timer(_SECONDS, self._stop)
        timer.daemon = True
        timer.start()
        super().connect()

    def _stop(self) -> None:
        if self.sock is not None:  # urllib takes the socket away when the header is complete
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class _Handler(urllib.request.HTTPSHandler):
    def https_open(self, req: Any) -> Any:
        return self.do_open(_Connection, req)


def download(address: str, target: Path, most: int) -> None:
    """Downloads one file to `target`, whole or not at all.

    Args:
        address: `https://…`; redirections must lead to https as well.
        target: where to write. Its folder exists.
        most: how many bytes the file may have.

    Raises:
        ConnectionError: if the file is larger, comes incomplete or too slowly, or lies elsewhere.
        OSError, http.client.HTTPException: if the server cannot be reached or answers nonsense.
    """
    deadline = time.monotonic() + _SECONDS + most / _BYTES_PER_SECOND
    opener = urllib.request.build_opener(_OnlyHttps, _Handler)
    unfinished = target.with_name(f".{target.name}-{threading.get_ident()}")
    try:
        with opener.open(address, timeout=_SILENCE) as answer, open(unfinished, "wb") as file:
            expected, received = answer.length, 0
            if expected is not None and expected > most:
                raise ConnectionError(f"it has {expected:,} bytes, expected at most {most:,}")
            while part := answer.read1(2**16):
                file.write(part)
                received += len(part)
                if received > most:
                    raise ConnectionError(f"it has more than the {most:,} bytes expected")
                if time.monotonic() > deadline:
                    raise ConnectionError(f"{received:,} bytes took too long")
        if expected is not None and received < expected:
            raise ConnectionError(f"only {received:,} of {expected:,} bytes came")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
