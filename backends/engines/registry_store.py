"""What an engine's own credential store holds, by the files and helpers of its command line; and that command line.

Reads nothing but those files, writes none: logging in and out is done by the engine's own program or by the helper that
the user's settings name. Secrets go by standard input, never into an argument, a log or an error.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.model.errors import BackendError, Denied, Protocol, TimedOut
from backends.model.ids import EngineId
from backends.model.transfer import Login
from backends.wire.failures import NO_JSON

if TYPE_CHECKING:
    from docker.auth import AuthConfig

HUB_KEY = "https://index.docker.io/v1/"
"""Docker Hub's entry in the files; source: docker/cli, cli/config/credentials."""
_PROGRAM_TIMEOUT_S = 60.0


def docker_files() -> tuple[Path, ...]:
    """Docker's file; source: docker/cli, cli/config."""
    folder = os.environ.get("DOCKER_CONFIG")
    return ((Path(folder) if folder else Path.home() / ".docker") / "config.json",)


def podman_files() -> tuple[Path, ...]:
    """Podman's files, the first that has an entry counts; source: containers-auth.json(5)."""
    chosen = os.environ.get("REGISTRY_AUTH_FILE")
    if chosen:
        return (Path(chosen),)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return (
        Path(f"{runtime}/containers/auth.json" if runtime else f"/run/containers/{os.getuid()}/auth.json"),
        Path(config) / "containers" / "auth.json",
        *docker_files(),
    )


@dataclass(frozen=True, slots=True)
class CredentialStore:
    """The store of one engine. files: see above. Every method may block: call it in a thread.

    keys: what the engine reads of them; Podman takes no credsStore from Docker's file.
    """

    engine: EngineId
    files: tuple[Path, ...]
    keys: tuple[str, ...] = ("auths", "credsStore", "credHelpers")

    def header(self, registry: str, path: str = "") -> dict[str, str]:
        """X-Registry-Auth for a registry (and repository), {} where the store has nothing.

        Raises Denied where a file or a helper cannot be read.
        """
        found = self.entry(registry, path)
        return {"X-Registry-Auth": _encoded(found)} if found else {}

    def headers(self, registries: Sequence[str]) -> dict[str, str]:
        """X-Registry-Config for several registries, {} where the store has nothing of any."""
        known = {registry: found for registry in registries if (found := self.entry(registry))}
        return {"X-Registry-Config": _encoded(known)} if known else {}

    def entry(self, registry: str, path: str = "") -> dict[str, Any]:
        """What there is for a registry; of Podman's entries for a part of one, the nearest to `path`."""
        for file in self.files:
            config = self._read(file)
            if config is None:
                continue
            parts = path.split("/") if path else []
            for depth in range(len(parts), 0, -1):
                found = config.auths.get("/".join([registry, *parts[:depth]]))
                if found:
                    return dict(found)
            if found := self._ask(config, registry):
                return found
        return {}

    def logins(self) -> tuple[Login, ...]:
        """All entries, without their secrets."""
        known: dict[str, Login] = {}
        for file in self.files:
            config = self._read(file)
            if config is None:
                continue
            for key, found in self._all(config).items():
                if found:
                    registry = "docker.io" if key == HUB_KEY else key.removeprefix("https://").rstrip("/")
                    user = str(found.get("username") or found.get("Username") or "")
                    name = config.get_credential_store(key)
                    store = f"docker-credential-{name}" if name else str(file)
                    known.setdefault(registry, Login(registry, user or "a token", store))
        return tuple(known[registry] for registry in sorted(known))

    def helper(self, registry: str) -> str:
        """The helper that the settings name for a registry ("pass"), "" for none."""
        for file in self.files:
            config = self._read(file)
            name = config.get_credential_store(_key(registry)) if config is not None else None
            if name:
                return str(name)
        return ""

    def _read(self, file: Path) -> AuthConfig | None:
        from docker import auth, errors

        try:
            content = json.loads(file.read_text())
            if not isinstance(content, dict):
                raise ValueError("it is no JSON object")
            wanted = {key: content[key] for key in self.keys if content.get(key)}
            return auth.load_config(config_dict=wanted) if wanted else None
        except FileNotFoundError:
            return None
        except (OSError, *NO_JSON, AttributeError, TypeError, errors.DockerException) as error:  # also of another shape
            title = f"The credential store {file} cannot be read"
            raise Denied(title, detail=type(error).__name__, hint="Look at the file.", engine=self.engine) from None

    def _ask(self, config: AuthConfig, registry: str) -> dict[str, Any]:
        from docker import auth, errors

        hosts = {key: entry for key, entry in config.auths.items() if "/" not in key or key.startswith("http")}
        whole = auth.AuthConfig({**config, "auths": hosts})  # an entry for a part of a registry is not for all of it
        _check_installed(config.get_credential_store(registry), self.engine)
        try:
            return dict(whole.resolve_authconfig(registry) or {})
        except errors.DockerException as error:
            raise self._helper_failed(config, registry, error) from None

    def _all(self, config: AuthConfig) -> Mapping[str, Mapping[str, Any] | None]:
        from docker import errors
        from docker.credentials import Store
        from docker.credentials.errors import StoreError

        keys = set(config.auths) | set(config.cred_helpers)
        for name in {config.creds_store, *config.cred_helpers.values()}:
            _check_installed(name, self.engine)
        try:
            if config.creds_store:
                keys |= set(Store(config.creds_store).list())
            return {key: config.auths.get(key) or config.resolve_authconfig(key) for key in keys}
        except (errors.DockerException, StoreError) as error:
            raise self._helper_failed(config, "", error) from None

    def _helper_failed(self, config: AuthConfig, registry: str, error: Exception) -> BackendError:
        name = config.get_credential_store(registry) or ""
        title = f"The credential helper docker-credential-{name} failed"
        hint = "Look whether it is installed and unlocked; the engine's own login needs it too."
        return Denied(title, detail=type(error).__name__, hint=hint, engine=self.engine)


def _key(registry: str) -> str:
    return HUB_KEY if registry == "docker.io" else registry


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _check_installed(name: object, engine: EngineId) -> None:
    """Raises Denied where a helper that is named is not there; docker-py would warn on the terminal."""
    if name and not program(f"docker-credential-{name}"):
        title = f"The credential helper docker-credential-{name} is not installed"
        hint = "Install it, or take it out of the engine's settings; the engine's own pull needs it too."
        raise Denied(title, hint=hint, engine=engine)


def store_by_helper(name: str, registry: str, username: str, secret: str, engine: EngineId) -> None:
    """Give credentials to a helper (docker-credential-NAME). Blocks. Raises Denied where it does not take them."""
    from docker.credentials import Store
    from docker.credentials.errors import StoreError

    _check_installed(name, engine)
    try:
        Store(name).store(_key(registry), username, secret)
    except StoreError as error:
        title = f"The credential helper docker-credential-{name} failed"
        raise Denied(title, detail=type(error).__name__, hint="Look whether it is unlocked.", engine=engine) from None


def program(name: str) -> str:
    """The path of an engine's own command line, "" where it is not installed."""
    return shutil.which(name) or ""


async def run_program(argv: Sequence[str], engine: EngineId, *, stdin: str = "") -> tuple[int, str]:
    """Run an engine's command line to its end; returns its exit code and what it said, stdin taken out.

    Raises TimedOut, and Protocol where it cannot be started.
    """
    environ = {key: value for key, value in os.environ.items() if key not in {"DOCKER_CONTEXT", "CONTAINER_CONNECTION"}}
    pipe = asyncio.subprocess.PIPE
    try:
        child = await asyncio.create_subprocess_exec(
            *argv, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=environ
        )
    except OSError as error:
        raise Protocol(f"{argv[0]} cannot be started", detail=str(error), engine=engine) from error
    try:
        async with asyncio.timeout(_PROGRAM_TIMEOUT_S):
            said, _ = await child.communicate(stdin.encode())
    except TimeoutError as error:
        raise TimedOut(f"{argv[0]} did not end within {_PROGRAM_TIMEOUT_S:g} s", engine=engine) from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    words = said.decode("utf-8", "replace").strip()
    return child.returncode or 0, words.replace(stdin, "…") if stdin else words


__all__ = ["CredentialStore", "docker_files", "podman_files", "program", "run_program", "store_by_helper"]
