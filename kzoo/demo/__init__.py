"""A page that runs presets in the browser: `kzoo demo` writes it and serves it.

The page is plain HTML, CSS and JavaScript. It computes with ONNX Runtime Web from presets that were
exported to ONNX, so that any web server can host it.
"""

from kzoo.demo.writing import RUNTIME, write_page

__all__ = ["RUNTIME", "write_page"]
