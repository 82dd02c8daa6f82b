"""What Tranship itself must not do: ask a shell, run data, leave a file for others to read, look past a certificate."""

from __future__ import annotations

import ast
import asyncio
import gc
import logging
import os
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from backends.layers.cache import LayerCache
from backends.migration import journal
from backends.migration.lock import only_one
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.private_folder import private_folder
from backends.registry.depot import Depot
from backends.services.audit import AuditLog
from backends.services.gpu_usage_file import UsageFile
from tests.unit.house.test_rooms import MODULES, ROOT
from tests.unit.layers.images import layer, table
from tui import crash, kept_columns, log
from widgets.column_choice import ColumnChoice

pytestmark = pytest.mark.xdist_group("own security")  # all modules are parsed once

SHELLS = frozenset({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"})
SHELL_NAMES = frozenset({"sh", "bash", "/bin/sh", "/bin/bash", "dash", "zsh"})
LOCAL_STARTERS = frozenset(
    {"subprocess.run", "subprocess.Popen", "subprocess.check_output", "subprocess.call", "subprocess.check_call"}
    | {"asyncio.create_subprocess_exec", "create_subprocess_exec", "os.execv", "os.execvp", "os.execvpe"}
)
RUNS_DATA = frozenset({"eval", "exec", "compile", "__import__"})
DATA_MODULES = frozenset({"pickle", "marshal", "shelve", "dill"})
WRITERS = frozenset({"write_text", "write_bytes", "mkstemp", "mkdtemp", "touch"})
TEMPORARY = frozenset({"NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory", "SpooledTemporaryFile"})

FOR_PEOPLE = {
    "backends/schedule/install.py": "units for systemd, which are no secret",
    "backends/new_file.py": "logs and reports that the user saves",
    "backends/services/export_files.py": "each file with the mode that the export gives it: 0600 where it has secrets",
    "backends/services/image_files.py": "an archive of an image, where the user wants it, by the user's umask",
    "backends/sweep/results.py": "the file of results that the user named",
}
"""What is written for its user to keep and pass on: its mode is theirs."""

PRIVATE = {
    "backends/engines/discover_service.py": "mkdtemp makes 0700",
    "backends/layers/cache.py": "mkstemp makes 0600",
    "backends/migration/backup_file.py": "0600",
    "backends/migration/journal.py": "0600",
    "backends/migration/lock.py": "0600",
    "backends/registry/depot.py": "0600 in what mkdtemp makes 0700",
    "backends/services/audit_file.py": "0600",
    "backends/services/gpu_usage_file.py": "0600 before SQLite opens it",
    "backends/services/quadlet_check.py": "TemporaryDirectory makes 0700",
    "backends/services/scans.py": "TemporaryDirectory makes 0700",
    "backends/services/signatures.py": "TemporaryDirectory makes 0700",
    "tui/crash.py": "0600",
    "tui/kept_columns.py": "0600",
    "tui/log.py": "0600 before logging opens it",
}
"""What is Tranship's own: records and what is on its way."""


@pytest.fixture(scope="module", autouse=True)
def _uncollected() -> Iterator[None]:
    """The collector would go through what is parsed already again and again."""
    gc.disable()
    yield
    gc.enable()


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


@cache
def _calls(path: Path) -> tuple[tuple[ast.Call, str], ...]:
    """Each call of a module with the dotted name of what is called."""
    return tuple((node, _dotted(node.func)) for node in _nodes(path) if isinstance(node, ast.Call))


def _dotted(node: ast.expr) -> str:
    """ "path.open"; what is not made of names is "?": of `Path(x).open` it is "?.open"."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == name), None)


def _asks_a_shell(call: ast.Call, name: str) -> bool:
    shell = _keyword(call, "shell")
    if name in SHELLS or name.endswith("create_subprocess_shell"):
        return True
    if name in LOCAL_STARTERS and not (shell is None or (isinstance(shell, ast.Constant) and shell.value is False)):
        return True
    words = call.args[:1]
    if words and isinstance(words[0], (ast.List, ast.Tuple)):
        words = words[0].elts[:1]
    first = words[0] if words else None
    return name in LOCAL_STARTERS and isinstance(first, ast.Constant) and first.value in SHELL_NAMES


def _writes(call: ast.Call, name: str) -> bool:
    last = name.rpartition(".")[2]
    if name == "os.open":
        return len(call.args) > 2  # a mode is given where a file may be made
    if last == "open" and name != "tarfile.open":  # that writes to the file object that it is given
        at = 1 if name == "open" else 0
        mode = _keyword(call, "mode") or (call.args[at] if len(call.args) > at else None)
        text = mode.value if isinstance(mode, ast.Constant) else None
        return isinstance(text, str) and set(text) <= set("rwxabt+") and bool(set(text) & set("wxa+"))
    return last in WRITERS or last in TEMPORARY or name in {"sqlite3.connect", "logging.FileHandler"}


def _hands_a_writer_on(node: ast.AST) -> bool:
    """`to_thread(path.write_text, …)`: named, not called."""
    return isinstance(node, ast.Attribute) and node.attr in {"write_text", "write_bytes"}


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_module_asks_a_shell_on_this_machine() -> None:
    """What runs within a container is its own program's business; here programs are started by their arguments."""
    asked = [
        f"{_relative(path)}:{call.lineno}"
        for path in MODULES
        for call, name in _calls(path)
        if _asks_a_shell(call, name)
    ]
    assert asked == []


def test_no_module_runs_data() -> None:
    ran = [f"{_relative(path)}:{call.lineno}" for path in MODULES for call, name in _calls(path) if name in RUNS_DATA]
    for path in MODULES:
        for node in _nodes(path):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ran += [f"{_relative(path)}: {name}" for name in names if name.split(".")[0] in DATA_MODULES]
    assert ran == []


def test_each_certificate_is_looked_at() -> None:
    looked_past = [
        f"{_relative(path)}: {word}"
        for path in MODULES
        for word in ("CERT_NONE", "check_hostname = False", "_create_unverified", "StrictHostKeyChecking=no")
        if word in path.read_text()
    ]
    # Where the engine's own settings say that it has none that could be looked at (DOCKER_TLS_VERIFY, a context).
    where_told = [f"backends/wire/client.py: {word}" for word in ("CERT_NONE", "check_hostname = False")]
    assert looked_past == where_told


def test_each_module_that_makes_files_is_known() -> None:
    makers = {_relative(path) for path in MODULES for call, name in _calls(path) if _writes(call, name)}
    makers |= {_relative(path) for path in MODULES for node in _nodes(path) if _hands_a_writer_on(node)}
    assert makers == FOR_PEOPLE.keys() | PRIVATE.keys()


def test_what_is_tranships_own_is_opened_for_its_user_alone() -> None:
    open_to_others = []
    for path in MODULES:
        for call, name in _calls(path):
            if name == "os.open" and len(call.args) > 2 and _relative(path) in PRIVATE:
                mode = call.args[2]
                if not (isinstance(mode, ast.Constant) and mode.value == 0o600):
                    open_to_others.append(f"{_relative(path)}:{call.lineno}")
    assert open_to_others == []


def test_each_module_that_listens_is_known() -> None:
    """On 127.0.0.1, or on a unix socket in a folder of our own; how is tested beside each."""
    ways = ("TCPSite", "UnixSite", "SockSite", "create_server", "start_server", "start_unix_server", "HTTPServer")
    listen = {_relative(path) for path in MODULES for _, name in _calls(path) if name.rpartition(".")[2] in ways}
    assert listen == {"backends/registry/server.py", "tui/cli/gpus_serve.py", "tui/web/server.py"}


def test_a_secret_in_an_error_is_in_no_crash_log_and_not_in_the_log(tmp_path: Path) -> None:
    """Nor in an error that was its cause, in a group, or in a note; the code's own lines stay as they are."""
    token = "hunter2canary"
    try:
        try:
            raise KeyError(f"DB_PASSWORD={token}")
        except KeyError as error:
            error.add_note(f"sent with Authorization: Bearer {token}")
            raise ExceptionGroup("all", [ValueError({"HF_TOKEN": token})]) from error
    except ExceptionGroup as error:
        bug = error
    written = Path(crash.write_crash_log(bug, tmp_path)).read_text()
    assert token not in written.replace('token = "hunter2canary"', "")
    assert written.count("••••") == 3
    assert 'raise KeyError(f"DB_PASSWORD={token}")' in written

    handler = log._File(log.log_path(tmp_path), encoding="utf-8", delay=True)
    handler.setFormatter(log._Masked("%(message)s"))
    record = {"msg": "of postgres://me:%s@db", "args": (token,), "exc_info": (type(bug), bug, bug.__traceback__)}
    handler.emit(logging.makeLogRecord(record))
    handler.close()
    assert token not in log.log_path(tmp_path).read_text()


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Nothing is hidden by the test's own umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def _modes(folder: Path) -> dict[Path, int]:
    return {path: stat.S_IMODE(path.lstat().st_mode) for path in (folder, *folder.rglob("*"))}


def _open_to_others(seen: dict[Path, int]) -> dict[str, str]:
    return {str(path): oct(mode) for path, mode in seen.items() if mode != (0o700 if path.is_dir() else 0o600)}


async def lock_modes(folder: Path) -> None:
    async with only_one(folder, "docker", "a" * 64, "web"):
        seen = await asyncio.to_thread(_modes, folder)
        assert any(path.is_file() for path in seen)
        assert _open_to_others(seen) == {}


@pytest.mark.usefixtures("open_umask")
def test_records_are_0600_in_folders_of_0700(tmp_path: Path) -> None:
    """Each writer of records, below a folder that none of them has made before."""
    home = tmp_path / "a" / "state"

    def made(name: str) -> Path:
        return home / name / "tranship"

    crash.write_crash_log(ValueError("a bug"), made("crash"))
    kept_columns.keep_columns(made("columns"), ColumnChoice(("name",), frozenset()))
    handler = log._File(log.log_path(made("log")), encoding="utf-8", delay=True)
    handler.emit(logging.makeLogRecord({"msg": "a warning"}))
    handler.close()
    audit = AuditLog(made("audit") / "audit.jsonl")
    key = ContainerKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64)
    audit.record(OperationUpdate(1, "container.stop", key, "web", Phase.DONE))
    asyncio.run(audit.close())
    journal.write(made("journal") / "migrations" / "one.json", "{}")
    asyncio.run(lock_modes(made("lock")))
    UsageFile(made("usage") / "gpu.sqlite3", "me").close()
    LayerCache(made("cache")).put(table(layer({"etc/hosts": b"x"})))
    depot = Depot(made("depot"))
    depot.uploads[depot.begin()].put(b"blob")
    private_folder(made("folder"))

    written = {path.relative_to(home).parts[0] for path in home.rglob("*") if path.is_file()}
    assert written == {"crash", "columns", "log", "audit", "journal", "usage", "cache", "depot"}
    assert _open_to_others(_modes(tmp_path / "a")) == {}
    depot.close()
