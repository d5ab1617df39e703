"""The web page: built files, nothing else. What may be asked for is a list made beforehand: no path leads elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import azure.functions as func

from http_api.endpoint import Api, Call
from http_api.problem import Problem, not_found
from http_api.responses import matches
from settings import APP_ROOT, get_settings

api = Api()
DIST = APP_ROOT / "web" / "dist"
MAX_COMPRESSED_FILES = 64

# Windows and slim containers know fewer types than a browser insists on.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
TEXTUAL = (".css", ".html", ".js", ".json", ".map", ".svg", ".webmanifest")
_HASHED = re.compile(r"-[A-Z0-9]{8}\.[a-z0-9.]+$")  # as the build names what never changes under its name


@dataclass(frozen=True)
class StaticFile:
    body: bytes
    etag: str
    mimetype: str
    cache_control: str


@api.route("GET", "/", role=None, checked=False)
async def get_page(call: Call) -> func.HttpResponse:
    file = _files().get("index.html")
    if file is None:
        raise Problem("not-found", "the page is not built; `make web` builds it")
    return _answer(call, "index.html", file)


@api.route("GET", "/assets/{*path}", role=None, checked=False)
async def get_asset(call: Call) -> func.HttpResponse:
    name = "assets/" + call.path.get("path", "")
    file = _files().get(name)
    if file is None:
        raise not_found("file", "/" + name)
    return _answer(call, name, file)


def _answer(call: Call, name: str, file: StaticFile) -> func.HttpResponse:
    headers = {**security_headers(get_settings().map.tiles_url), "ETag": file.etag, "Cache-Control": file.cache_control}
    if matches(call.request.headers.get("if-none-match"), file.etag):
        return func.HttpResponse(b"", status_code=304, headers=headers)
    body = file.body
    if name.endswith(TEXTUAL):
        headers["Vary"] = "Accept-Encoding"
        if _takes_gzip(call.request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            body = _compressed(file)
    return func.HttpResponse(body, headers=headers, mimetype=file.mimetype)


def security_headers(tiles_url: str | None) -> dict[str, str]:
    """Nothing is loaded from anywhere but here, except map tiles from the one place that a setting names."""
    tiles = _origin(tiles_url)
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: blob:{tiles}",
            "font-src 'self'",
            f"connect-src 'self'{tiles}",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
        # Tile servers may ask who uses them (OpenStreetMap's do, and refuse who says nothing): the origin, no more.
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _origin(url: str | None) -> str:
    """`` scheme://host[:port]`` of a tile URL template; a sub-domain placeholder becomes a wildcard."""
    if url is None:
        return ""
    parts = urlsplit(re.sub(r"\{[^}/]*\}", "*", url))
    host = re.sub(r"^[^.]*\*[^.]*", "*", parts.netloc)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"(\*\.)?[A-Za-z0-9.\-\[\]:]+", host):
        return ""
    return f" {parts.scheme}://{host}"


def _takes_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return re.fullmatch(r"\s*q=0(\.0*)?\s*", weight) is None
    return False


@lru_cache(maxsize=MAX_COMPRESSED_FILES)
def _compressed(file: StaticFile) -> bytes:
    return gzip.compress(file.body, mtime=0)


_cached: tuple[tuple[int, int], dict[str, StaticFile]] | None = None


def _files() -> dict[str, StaticFile]:
    """All files that may be asked for, by path; read again when the page was built anew."""
    global _cached
    try:
        stamp = (DIST / "index.html").stat()
    except OSError:
        return {}
    version = (stamp.st_mtime_ns, stamp.st_size)
    if _cached is None or _cached[0] != version:
        _cached = (version, read_files(DIST))
    return _cached[1]


def read_files(folder: Path) -> dict[str, StaticFile]:
    """``index.html`` and what is under ``assets``; nothing that a link leads to outside of the folder."""
    root = folder.resolve()
    found: dict[str, StaticFile] = {}
    for path in [folder / "index.html", *sorted((folder / "assets").rglob("*"))]:
        if path.is_file() and path.resolve().is_relative_to(root):
            name = path.relative_to(folder).as_posix()
            found[name] = _read(name, path.read_bytes())
    return found


def _read(name: str, body: bytes) -> StaticFile:
    suffix = Path(name).suffix.lower()
    kind = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    hashed = name.startswith("assets/") and _HASHED.search(name)
    return StaticFile(
        body=body,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        mimetype=kind,
        cache_control="public, max-age=31536000, immutable" if hashed else "no-cache",
    )
