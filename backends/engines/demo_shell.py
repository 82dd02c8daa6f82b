"""The few programs that every container of the demo has, over its files. Pure but for those files.

They do what their namesakes of busybox do, with the options named in `_PROGRAMS`, and nothing else.
"""

from __future__ import annotations

import hashlib
import posixpath
import shlex
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from backends.engines.demo_files import Files, ReadOnly
from backends.engines.demo_volumes import Entry, folder
from backends.model.container import ExecResult
from backends.model.errors import NotFound, Unsupported

NOT_FOUND = 127
"""Exit code of a shell that does not know a program. Source: POSIX.1-2017, Shell, 2.8.2."""
_NOT_SPOKEN = frozenset("|$`{}()<*?~#")
"""What would mean something to a real shell."""
_SAID = 40  # characters of a script in a message


class NoSuchProgram(Exception):
    """There is no such program here, or a shell that knows so much."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program runs. stdin: what it may read."""

    files: Files
    env: Mapping[str, str]
    hostname: str
    folder: str = "/"
    stdin: bytes = b""

    def path(self, word: str) -> str:
        """A path as the program means it."""
        return posixpath.normpath(posixpath.join(self.folder, word))


class _Failed(Exception):
    """A program says why and ends with a code."""

    def __init__(self, words: str, code: int = 1) -> None:
        super().__init__(words)
        self.code = code


def run(argv: Sequence[str], place: Place) -> ExecResult:
    """Run a program to its end. Raises NoSuchProgram."""
    name = posixpath.basename(argv[0]) if argv else ""
    if name in {"sh", "ash", "bash"}:
        return _shell(list(argv[1:]), place)
    program = _PROGRAMS.get(name)
    if program is None:
        raise NoSuchProgram(argv[0] if argv else "")
    try:
        return ExecResult(0, program(list(argv[1:]), place), b"")
    except _Failed as failed:
        return ExecResult(failed.code, b"", _words(f"{name}: {failed}") if str(failed) else b"")
    except (NotFound, Unsupported) as absent:
        return ExecResult(1, b"", _words(f"{name}: {absent.title}"))
    except ReadOnly as path:
        return ExecResult(1, b"", _words(f"{name}: {path}: Read-only file system"))


def _words(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape") + b"\n"


def _shell(words: list[str], place: Place) -> ExecResult:
    """`sh -c SCRIPT`: statements by ";" and "&&", ">" and ">>" into a file, `exit N`."""
    if len(words) < 2 or words[0] != "-c":
        return ExecResult(0, b"", b"")  # an interactive shell that finds its stdin closed
    out, err, code = b"", b"", 0
    statement: list[str] = []
    skipping = False
    for word in [*_tokens(words[1]), ";"]:
        if word not in {";", "&&"}:
            statement.append(word)
            continue
        if statement and not skipping:
            match statement:
                case ["exit"]:
                    return ExecResult(code, out, err)
                case ["exit", number] if number.isdecimal():
                    return ExecResult(int(number) & 0xFF, out, err)
            done = _statement(statement, place)
            out, err, code = out + done.stdout, err + done.stderr, done.exit_code
        statement, skipping = [], word == "&&" and code != 0
    return ExecResult(code, out, err)


def _beginning(script: str) -> str:
    """A script in few words: it is part of a message."""
    words = " ".join(script.split())
    return repr(words if len(words) <= _SAID else f"{words[:_SAID]}…")


def _tokens(script: str) -> list[str]:
    """The words of a script. Raises NoSuchProgram where it needs a shell that knows more."""
    lexer = shlex.shlex(script.replace("\n", ";"), posix=True, punctuation_chars=";&>")
    lexer.whitespace_split = True
    try:
        tokens = list(lexer)
    except ValueError as broken:
        raise NoSuchProgram(f"sh for {_beginning(script)}") from broken
    marks = {token for token in tokens if token and not token.strip(";&>")}
    if marks - {";", "&&", ">", ">>"} or _NOT_SPOKEN.intersection(script):
        raise NoSuchProgram(f"sh for {_beginning(script)}")
    return tokens


def _statement(words: list[str], place: Place) -> ExecResult:
    target, mode = "", ""
    if len(words) > 2 and words[-2] in {">", ">>"}:
        words, mode, target = words[:-2], words[-2], place.path(words[-1])
    try:
        done = run(words, place)
    except NoSuchProgram as unknown:
        return ExecResult(NOT_FOUND, b"", _words(f"sh: {unknown}: not found"))
    if not mode:
        return done
    try:
        before = place.files.get(target)
        if before is not None and before.head.isdir():
            return ExecResult(1, b"", _words(f"sh: can't create {target}: Is a directory"))
        kept = before.content if before is not None and mode == ">>" else b""
        _write(place, target, kept + done.stdout)
    except ReadOnly:
        return ExecResult(1, b"", _words(f"sh: can't create {target}: Read-only file system"))
    except Unsupported as absent:
        return ExecResult(1, b"", _words(f"sh: can't create {target}: {absent.title}"))
    return replace(done, stdout=b"")


def _write(place: Place, path: str, content: bytes) -> None:
    head = tarfile.TarInfo(path)
    head.size = len(content)
    place.files.put(path, Entry(head, content))


def _content(place: Place, word: str) -> bytes:
    entry = place.files.get(place.path(word))
    if entry is None:
        raise _Failed(f"{word}: No such file or directory")
    if entry.head.isdir():
        raise _Failed(f"{word}: Is a directory")
    return entry.content


def _cat(words: list[str], place: Place) -> bytes:
    return b"".join(_content(place, word) for word in words) if words else place.stdin


def _ls(words: list[str], place: Place) -> bytes:
    names = [word for word in words if word not in {"-1", "-a"}]
    top = place.path(names[0] if names else ".")
    if place.files.get(top) is None:
        raise _Failed(f"{names[0] if names else top}: No such file or directory")
    found = [posixpath.basename(path) for path in place.files.walk(top) if posixpath.dirname(path) == top != path]
    return b"".join(_words(name) for name in found)


def _touch(words: list[str], place: Place) -> bytes:
    for word in words:
        path = place.path(word)
        before = place.files.get(path)
        if before is None:
            _write(place, path, b"")
        else:
            place.files.put(path, before)
    return b""


def _mkdir(words: list[str], place: Place) -> bytes:
    for word in (word for word in words if word != "-p"):
        path = place.path(word)
        if place.files.get(path) is None:
            place.files.put(path, Entry(folder(path)))
        elif "-p" not in words:
            raise _Failed(f"can't create directory '{word}': File exists")
    return b""


def _rm(words: list[str], place: Place) -> bytes:
    flags = {letter for word in words if word.startswith("-") for letter in word[1:]}
    for word in (word for word in words if not word.startswith("-")):
        entry = place.files.get(place.path(word))
        if entry is None and "f" in flags:
            continue
        if entry is None:
            raise _Failed(f"can't remove '{word}': No such file or directory")
        if entry.head.isdir() and "r" not in flags:
            raise _Failed(f"'{word}' is a directory")
        place.files.delete(place.path(word))
    return b""


def _test(words: list[str], place: Place) -> bytes:
    if len(words) != 2 or words[0] not in {"-e", "-f", "-d"}:
        raise _Failed("unknown operand", 2)
    entry = place.files.get(place.path(words[1]))
    holds = entry is not None and {"-e": True, "-f": entry.head.isreg(), "-d": entry.head.isdir()}[words[0]]
    if not holds:
        raise _Failed("")
    return b""


def _sha256sum(words: list[str], place: Place) -> bytes:
    return b"".join(_words(f"{hashlib.sha256(_content(place, word)).hexdigest()}  {word}") for word in words)


def _false(_: list[str], __: Place) -> bytes:
    raise _Failed("")


_PROGRAMS: Mapping[str, Callable[[list[str], Place], bytes]] = {
    "true": lambda _, __: b"",
    "false": _false,
    "echo": lambda words, _: _words(" ".join(words)),
    "pwd": lambda _, place: _words(place.folder),
    "hostname": lambda _, place: _words(place.hostname),
    "env": lambda _, place: b"".join(_words(f"{name}={value}") for name, value in sorted(place.env.items())),
    "cat": _cat,
    "ls": _ls,  # -1 and -a are what it does anyway
    "touch": _touch,
    "mkdir": _mkdir,  # -p
    "rm": _rm,  # -r, -f
    "test": _test,  # -e, -f, -d
    "sha256sum": _sha256sum,
}
