"""One file from the web, whole or not at all."""

import http.client
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from sid.errors import UserError
from sid.progress import Progress
from sid.unpickle.tree import printable

CHUNK = 1_000_000
TIMEOUT_S = 60
AGENT = "sid-bench"
FAULTS = (
    urllib.error.URLError,
    TimeoutError,
    ConnectionError,
    http.client.HTTPException,
    ValueError,
)


def is_url(source: str) -> bool:
    """Whether this is an address and not a file; any scheme, also one that is not fetched."""
    return "://" in source


def public(url: str) -> str:
    """The address without user, password and query, which may hold secrets."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def download(url: str, path: Path, *, largest: int, quiet: bool) -> None:
    """Fetch `url` into `path`.

    Args:
        url: http or https.
        path: a temporary file; it is of no use after an error.
        largest: bytes; the server may announce and send no more.
        quiet: no progress.

    Raises:
        UserError: no such address, no network, or not the announced number of bytes.
    """
    if not url.startswith(("http://", "https://")):
        raise UserError(f"{public(url)}: only http:// and https:// are fetched")
    request = urllib.request.Request(url, headers={"User-Agent": AGENT})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            if not response.url.startswith(("http://", "https://")):
                raise UserError(f"{public(url)}: leads to {public(response.url)}, no web address")
            announced = response.headers.get("Content-Length", "")
            size = int(announced) if announced.isdecimal() else None
            if size is not None and size > largest:
                raise UserError(f"{public(url)}: {size} bytes is more than the {largest} allowed")
            _store(response, path, size, public(url), largest=largest, quiet=quiet)
    except urllib.error.HTTPError as error:
        answer = printable(f"{error.code} {error.reason}")
        raise UserError(f"{public(url)}: the server answers {answer}") from error
    except FAULTS as error:
        reason = printable(str(getattr(error, "reason", error)) or type(error).__name__)
        raise UserError(
            f"{public(url)}: cannot be fetched ({reason}); download the file elsewhere and give "
            "its path"
        ) from error


def _store(
    response: http.client.HTTPResponse,
    path: Path,
    size: int | None,
    name: str,
    *,
    largest: int,
    quiet: bool,
) -> None:
    got, bound = 0, largest if size is None else size
    kilobytes = 0 if size is None else -(-size // 1000)
    with path.open("wb") as file, Progress(name, kilobytes, "kB", quiet=quiet) as progress:
        while chunk := response.read(min(CHUNK, bound - got + 1)):
            got += len(chunk)
            if got > bound:
                raise UserError(f"{name}: sends more than the {bound} bytes allowed")
            file.write(chunk)
            progress.advance(-(-len(chunk) // 1000))
    if size is not None and got != size:
        raise UserError(f"{name}: {got} of {size} bytes arrived; run the same command again")
