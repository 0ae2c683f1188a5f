"""An https server on this machine, with a certificate that lives as long as the test."""

import contextlib
import http.server
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the program openssl makes the server's certificate"
)


def certificate(folder):
    """A certificate for 127.0.0.1 with its key, `(certificate.pem, key.pem)`."""
    cert, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return cert, key


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the files of `server.folder`, or as `server.answer(handler, name)` does."""

    def do_GET(self):
        name = Path(self.path).name
        self.server.calls.append(name)
        if self.server.answer is None or self.server.answer(self, name):
            self.send_file(name)

    def send_file(self, name):
        path = self.server.folder / name
        if path.is_file():
            self.send(path.read_bytes())
        else:
            self.send(b"", 404)

    def send(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, folder, pair=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.answer, self.calls = folder, None, []
        self.context = None
        if pair is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*pair)
        scheme = "http" if pair is None else "https"
        self.address = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        self.stopped = threading.Event()  # answers that never end look at it

    def finish_request(self, request, client_address):
        with contextlib.suppress(OSError):  # the client may go away at any moment
            if self.context is not None:
                request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
            with contextlib.suppress(OSError):
                request.unwrap()

    def handle_error(self, request, client_address):
        pass


@contextlib.contextmanager
def serving(folder, pair=None):
    server = Server(folder, pair)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
