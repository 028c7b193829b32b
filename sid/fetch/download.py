"""One file from the web, whole or not at all."""

import http.client
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
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


def without_secrets(url: str) -> str:
    """The address without user, password and query, which may hold secrets."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def download(url: str, path: Path, *, largest: int, quiet: bool, resume: bool = False) -> None:
    """Fetch `url` into `path`.

    Args:
        url: http or https.
        path: a temporary file; after an error it is of no use but to go on from.
        largest: bytes; the server may announce and send no more.
        quiet: no progress.
        resume: go on with what an earlier try left in `path`, where the server says by its ETag
            that it is a part of the same file.

    Raises:
        UserError: no such address, no network, or not the announced number of bytes.
    """
    shown = without_secrets(url)
    if not url.startswith(("http://", "https://")):
        raise UserError(f"{shown}: only http:// and https:// are fetched")
    tag = path.with_name(f"{path.name}.etag")
    have = path.stat().st_size if resume and path.exists() and tag.exists() else 0
    headers = {"User-Agent": AGENT}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text(encoding="utf-8")}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            if not response.url.startswith(("http://", "https://")):
                raise UserError(
                    f"{shown}: leads to {without_secrets(response.url)}, no web address"
                )
            have = have if response.status == HTTPStatus.PARTIAL_CONTENT else 0
            announced = response.headers.get("Content-Length", "")
            size = have + int(announced) if announced.isdecimal() else None
            if size is not None and size > largest:
                raise UserError(f"{shown}: {size} bytes is more than the {largest} allowed")
            if resume and not have:
                path.unlink(missing_ok=True)  # The part may be of another version.
                _keep(tag, response.headers.get("ETag", ""))
            _store(response, path, have, size, shown, largest=largest, quiet=quiet)
        tag.unlink(missing_ok=True)
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            tag.unlink()  # All of it was there, or it has another length now: from the beginning.
            return download(url, path, largest=largest, quiet=quiet, resume=resume)
        answer = printable(f"{error.code} {error.reason}")
        raise UserError(f"{shown}: the server answers {answer}") from error
    except FAULTS as error:
        reason = printable(str(getattr(error, "reason", error)) or type(error).__name__)
        raise UserError(
            f"{shown}: cannot be fetched ({reason}); run `sid fetch` where there is "
            "internet, or give the path of the file"
        ) from error


def _keep(tag: Path, value: str) -> None:
    """Note the server's name of this version; a weak one does not promise the same bytes."""
    if value and not value.startswith("W/"):
        tag.write_text(value, encoding="utf-8")
    else:
        tag.unlink(missing_ok=True)


def _store(
    response: http.client.HTTPResponse,
    path: Path,
    have: int,
    size: int | None,
    name: str,
    *,
    largest: int,
    quiet: bool,
) -> None:
    got, bound = have, largest if size is None else size
    kilobytes = 0 if size is None else -(-size // 1000)
    progress = Progress(name, kilobytes, "kB", done=have // 1000, quiet=quiet)
    with path.open("ab" if have else "wb") as file, progress:
        while chunk := response.read(min(CHUNK, bound - got + 1)):
            got += len(chunk)
            if got > bound:
                raise UserError(f"{name}: sends more than the {bound} bytes allowed")
            file.write(chunk)
            progress.advance(-(-len(chunk) // 1000))
    if size is not None and got != size:
        raise UserError(f"{name}: {got} of {size} bytes arrived; run the same command again")
