"""`kzoo demo`: presets in the browser."""

import functools
import http.server
import pathlib
import webbrowser

from kzoo.cli import common, types


def add_parser(commands):
    parser = common.add_command(
        commands,
        "demo",
        run,
        "write a page on which presets draw in the browser, serve it and open it",
        [
            "kzoo demo",
            "kzoo demo --runtime node_modules/onnxruntime-web/dist    works offline",
            "kzoo demo --output public/demo --write-only    for any web server",
        ],
    )
    parser.add_argument(
        "--output",
        type=types.folder_name,
        default=pathlib.Path("kzoo-demo"),
        metavar="FOLDER",
        help="where the page is; it is written unless it is there already (kzoo-demo)",
    )
    parser.add_argument(
        "--runtime",
        type=pathlib.Path,
        metavar="FOLDER",
        help="the folder dist of npm's onnxruntime-web, to copy; otherwise the browser loads it "
        "from cdn.jsdelivr.net",
    )
    parser.add_argument("--port", type=types.port, default=8000, help="to serve it on (8000)")
    parser.add_argument("--write-only", action="store_true", help="write the page, serve nothing")
    parser.add_argument("--no-browser", action="store_true", help="open no browser")
    common.add_json(parser, "print folder and address as JSON, progress on the error stream")


def run(args):
    if not (args.output / "demo.json").is_file():
        common.import_keras()
        from kzoo.demo import write_page

        with common.progress_on(args):
            write_page(args.output, args.runtime, say=functools.partial(print, flush=True))
    report = {"folder": str(args.output), "address": None}
    if args.write_only:
        if args.json:
            common.print_json(report)
        return
    with server(args.output, args.port) as serving:
        address = f"http://127.0.0.1:{serving.server_port}/"
        if args.json:
            common.print_json(report | {"address": address})
        else:
            print(f"The demo is at {address}. Ctrl-C ends it.", flush=True)
        if not args.no_browser:
            webbrowser.open(address)
        serving.serve_forever()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and reports none of them."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *args):
        pass


def server(folder, port=0):
    """A server of a folder on this machine only; port 0 takes a free one."""
    handler = functools.partial(Handler, directory=str(folder))
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
