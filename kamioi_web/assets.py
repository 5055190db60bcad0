"""Static files: their URLs name their content, so that a browser keeps them for a year and never has an old one."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request

STATIC = Path(__file__).parent / "static"
A_YEAR = "public, max-age=31536000, immutable"


@lru_cache(maxsize=256)
def asset(name: str) -> str:
    """The URL of a static file; a file that does not exist fails here and not in the browser."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def serve(app: Flask) -> None:
    """Make `asset` known to templates, and say how long files are kept."""
    app.add_template_global(asset)

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in (200, 304):
            response.headers["Cache-Control"] = A_YEAR if "v" in request.args else "public, no-cache"
        return response
