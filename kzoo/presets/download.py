"""Files of a web server, by https only, with limits on time and size."""

import contextlib
import functools
import http.client
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import rich.console
import rich.progress

_SILENCE = 30.0  # seconds without a byte
_SECONDS = 60.0  # for a small file; a large one may take as long as the slowest connection does
_BYTES_PER_SECOND = 2**17  # of the slowest connection
_LARGE = 2**20  # bytes of a file whose progress is shown


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if urlsplit(newurl).scheme != "https":
            raise ConnectionError(f"{req.full_url} redirects to {newurl}, expected https://")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Connection(http.client.HTTPSConnection):
    """Ends after a fixed time, even if the server keeps sending single bytes of the header."""

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


class _Refused(ConnectionError):
    """What came cannot be part of the file."""


def download(address: str, target: Path, most: int, part: Path | None = None) -> None:
    """Downloads one file to `target`, whole or not at all; shows the progress of a large one.

    Args:
        address: `https://…`; redirections must lead to https as well.
        target: where to write. Its folder exists.
        most: how many bytes the file may have.
        part: where the beginning of a file stays if the connection breaks, in the same folder. The
            next call goes on from there.

    Raises:
        ConnectionError: if the file is larger, incomplete or too slow, or is redirected to another
            scheme.
        OSError, http.client.HTTPException: if the server cannot be reached, or its answer is not
            valid.
    """
    unfinished = target.with_name(f".{target.name}-{threading.get_ident()}")
    try:
        if part is not None:
            with contextlib.suppress(OSError):
                part.replace(unfinished)  # another thread cannot go on with it as well
        _receive(address, unfinished, most)
        unfinished.replace(target)
    except (_Refused, urllib.error.HTTPError):
        raise
    except (OSError, http.client.HTTPException, KeyboardInterrupt):
        if part is not None:
            with contextlib.suppress(OSError):
                unfinished.replace(part)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def _receive(address: str, path: Path, most: int) -> None:
    """Appends to a file what it lacks, or writes it anew where the server sends all of it."""
    deadline = time.monotonic() + _SECONDS + most / _BYTES_PER_SECOND
    start = path.stat().st_size if path.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if start else {})
    opener = urllib.request.build_opener(_OnlyHttps, _Handler)
    with opener.open(request, timeout=_SILENCE) as answer:
        if answer.status != 206:
            start = 0
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _Refused("another part came than was asked for")
        expected = None if answer.length is None else start + answer.length
        if expected is not None and expected > most:
            raise _Refused(f"it has {expected:,} bytes, expected at most {most:,}")
        with open(path, "ab" if start else "wb") as file, _progress(expected) as show:
            while part := answer.read1(2**16):
                file.write(part)
                show(completed=file.tell())
                if file.tell() > most:
                    raise _Refused(f"it has more than the {most:,} bytes expected")
                if time.monotonic() > deadline:
                    raise _Refused(f"{file.tell():,} bytes took too long")
            received = file.tell()
    if expected is not None and received < expected:
        raise ConnectionError(f"only {received:,} of {expected:,} bytes came")


@contextlib.contextmanager
def _progress(total: int | None) -> Iterator[Callable]:
    """A bar on the error stream, for a large file and a person who sees it."""
    if total is None or total < _LARGE or not sys.stderr.isatty():
        yield lambda **_: None
        return
    columns = rich.progress.Progress.get_default_columns()
    columns = (*columns, rich.progress.DownloadColumn())
    console = rich.console.Console(stderr=True)
    with rich.progress.Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Downloading weights", total=total)
        yield functools.partial(progress.update, task)
