"""Errors meant for people: one line that names the file or key and the mend."""

import codecs
import errno
import io
import os
import sys


class UserError(Exception):
    """Bad input or a bad place to write; the command line prints it and exits with status 2."""


MENDS = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EROFS: "the file system is read-only; give a folder that can be written",
    errno.EACCES: "no permission; give a folder that you may write, or change its owner",
    errno.EPERM: "not permitted; give a folder that you may write, or change its owner",
    errno.ENOENT: "no such file or folder",
    errno.EISDIR: "is a folder where a file was expected",
    errno.EEXIST: "is a file where a folder was expected",
    errno.ENOTDIR: "is a file where a folder was expected",
}


def explain(error: OSError) -> str:
    """One line for an operating-system error: the file and what to do about it.

    Args:
        error: what was raised; `filename` may be missing, as when a write failed half way.

    Returns:
        `FILE: MEND`, or the system's own words where no mend is known.
    """
    what = MENDS.get(error.errno or 0, error.strerror or str(error))
    return f"{error.filename}: {what}" if error.filename else what


def reason(error: OSError) -> str:
    """The system's own words, without file and number."""
    return error.strerror or str(error)


def warn(text: str) -> None:
    """Tell the user in one line on standard error, and go on."""
    say(f"warning: {text}")


def say(line: str) -> None:
    """One line on standard error; of several processes of one run, the first tells."""
    if os.environ.get("RANK", "0") == "0":
        print(printable(line), file=sys.stderr)


def printable(text: str) -> str:
    r"""Text in one line that any terminal takes: what does not print is escaped as in Python.

    File names may hold line ends, escape sequences and bytes that are no UTF-8; those came in as
    lone surrogates (PEP 383) and are shown as the bytes that they were, `\xff`.
    """
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def speak_any_encoding() -> None:
    """Let standard output and error take every character, whatever the terminal's encoding.

    What it does not know is escaped as `printable` does: one character must not cost the result.
    """
    codecs.register_error("sid", _spelt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="sid")


def _spelt(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return "".join("+-" if char == "±" else _escaped(char) for char in text), error.end


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
