"""The one interface behind which every engine stands. Nothing above it knows which engine it talks to.

Every method may raise the errors of backends.model.errors, always with `engine` set, and nothing else
(besides asyncio.CancelledError). Streams are async context managers that yield an async iterator: on entry the
engine has accepted the request; the iterator raises Unreachable where the stream breaks and ends only where
the engine ended it; leaving the context closes the connection at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeAlias

from backends.model.build import BuildEvent, BuildSpec
from backends.model.capabilities import EngineInfo, Room
from backends.model.container import ChangedPath, Container, ExecResult, Health, LogLine, LogStream, StatsReading
from backends.model.events import EngineEvent
from backends.model.ids import EngineId
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.image_config import ImageConfig
from backends.model.manifest import AppliedObject, Manifest
from backends.model.network import Network, NetworkSpec
from backends.model.process import ContainerProcess
from backends.model.session import ExecSpec, TerminalSize
from backends.model.transfer import Credentials, FoundImage, Login, PlatformReport, TransferEvent
from backends.model.workload import RestartPolicy, Volume, VolumeSpec, WorkloadSpec

EventStream: TypeAlias = AbstractAsyncContextManager[AsyncIterator[EngineEvent]]
LogLines: TypeAlias = AbstractAsyncContextManager[AsyncIterator[LogLine]]
StatsStream: TypeAlias = AbstractAsyncContextManager[AsyncIterator[Sequence[StatsReading]]]
ByteStream: TypeAlias = AbstractAsyncContextManager[AsyncIterator[bytes]]
TransferStream: TypeAlias = AbstractAsyncContextManager[AsyncIterator[TransferEvent]]
BuildStream: TypeAlias = AbstractAsyncContextManager[AsyncIterator[BuildEvent]]


class Session(Protocol):
    """A program in a container, talked to while it runs. Leaving its context closes the connection, not the program."""

    @property
    def tty(self) -> bool:
        """It has a terminal: output is one stream of raw bytes (TTY), and the detach keys leave it."""

    def output(self) -> AsyncIterator[tuple[LogStream, bytes]]:
        """What it says, as it comes; ends with the program, or where the engine took the detach keys. Read it once.

        Raises Unreachable where the connection breaks off.
        """

    async def send(self, data: bytes) -> None:
        """Input for it; returns when the connection has taken it. What comes after the program's end goes nowhere."""

    async def close_input(self) -> None:
        """Its input has ended; its output goes on. Unsupported where the connection cannot do that (TLS)."""

    async def resize(self, size: TerminalSize) -> None:
        """Its terminal has another size now."""

    async def exit_code(self) -> int | None:
        """Its exit code, after the end of its output; None where it runs on: it was detached from."""


SessionContext: TypeAlias = AbstractAsyncContextManager[Session]


class Engine(Protocol):
    """One container engine. Instances are cheap; no connection is made before `connect`."""

    @property
    def id(self) -> EngineId:
        """Who it is."""

    @property
    def endpoint(self) -> str:
        """Where it is, for people ("unix:///run/docker.sock")."""

    async def connect(self) -> EngineInfo:
        """Reach the engine and ask what it is. May be called again after the link was lost."""

    async def close(self) -> None:
        """Close every connection; safe to call twice and when never connected."""

    # -- looking ---------------------------------------------------------------------------------
    async def list_containers(self) -> list[Container]:
        """All containers, whatever their state, in one call."""

    async def inspect_container(self, container: str) -> Container:
        """One container by id or name, freshly read."""

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """The engine's own inspect JSON of one container, for showing and for proofs."""

    def subscribe(self) -> EventStream:
        """Events from now on; on entry the subscription stands."""

    def logs(
        self,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        timestamps: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> LogLines:
        """Log lines, oldest first; tail: only that many last ones; timestamps: fill LogLine.at.

        since, until: of these last ones only those from and up to then, both included, by what LogLine.at tells
        (Podman tells whole seconds).
        """

    def stats(self, containers: Sequence[str], *, interval_s: float = 1.0) -> StatsStream:
        """Readings over the engine's API, for engines whose cgroups cannot be read here.

        containers: full ids of those wanted. Each item is a batch of readings. Unsupported where the API has none.
        """

    # -- acting on containers --------------------------------------------------------------------
    async def create_container(self, spec: WorkloadSpec) -> str:
        """Create, not start; returns the full id. Conflict where the name is taken. spec.unmapped is ignored."""

    async def start(self, container: str) -> None:
        """Start it; starting a running one is no error."""

    async def stop(self, container: str, *, timeout_s: int | None = None) -> None:
        """Stop it; None = its own stop timeout. Stopping a stopped one is no error."""

    async def restart(self, container: str) -> None:
        """Stop where it runs, and start."""

    async def pause(self, container: str) -> None:
        """Freeze its processes; Unsupported where the engine cannot."""

    async def unpause(self, container: str) -> None:
        """Thaw its processes."""

    async def kill(self, container: str, *, signal: str = "KILL") -> None:
        """Send a signal to its first process; Conflict where it does not run."""

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:
        """Remove it; force: also where it runs; volumes: its anonymous volumes too.

        A pod's infra container stands for the pod, which goes; Conflict where other containers are in it.
        """

    async def rename(self, container: str, name: str) -> None:
        """Give it another name; Conflict where that is taken."""

    async def wait_exit(self, container: str) -> int:
        """Wait until it does not run; returns the exit code."""

    async def set_restart(self, container: str, policy: RestartPolicy) -> None:
        """Change the restart policy of a container, whatever its state; nothing else of it changes."""

    async def execute(self, container: str, argv: Sequence[str]) -> ExecResult:
        """Run a program in a running container and wait for it; Unsupported where the container has no such program."""

    def open_exec(self, container: str, spec: ExecSpec) -> SessionContext:
        """Run a program in a running container and talk to it. Conflict where the container does not run.

        A program that cannot be started says so in the output and ends with 126 or 127, as it does for both engines.
        """

    def open_attach(self, container: str, *, stdin: bool = True, size: TerminalSize | None = None) -> SessionContext:
        """Talk to the first process of a running container, from now on; stdin: where it was made to take any."""

    async def processes(self, container: str) -> tuple[ContainerProcess, ...]:
        """Its processes, as the host sees them; Conflict where it does not run."""

    async def check_health(self, container: str) -> Health:
        """The health now. Where the engine needs a timer to check (Podman without systemd) one check is run first."""

    # -- recipe ----------------------------------------------------------------------------------
    async def workload_spec(self, container: str) -> WorkloadSpec:
        """The recipe that would make this container again, image defaults subtracted, the rest in `unmapped`."""

    async def apply_manifests(
        self, manifests: Sequence[Manifest], *, namespace: str = "", dry_run: bool = False, force: bool = False
    ) -> tuple[AppliedObject, ...]:
        """Make Kubernetes objects as they say, in their order, or change those that are there.

        namespace: for those that name none, "" = the engine's own. dry_run: only have them checked. force: take over
        fields that others manage (else Conflict). Unsupported on an engine that is no cluster, and for an object that
        the cluster does not take; those before that one stand.
        """

    # -- images ----------------------------------------------------------------------------------
    async def list_images(self, *, nameless: bool = False) -> list[Image]:
        """All images that have a name or are used; nameless: those that are neither too (Podman lists them always)."""

    async def image_facts(self, reference: str) -> ImageFacts:
        """What identifies an image (id, or reference); NotFound where it is not in the store."""

    async def image_config(self, reference: str) -> ImageConfig:
        """What the image says of containers made of it."""

    async def image_layers(self, reference: str) -> LayerReport:
        """History joined with diff-IDs, base first."""

    def export_image(self, reference: str) -> ByteStream:
        """A docker-archive tar of the image as the engine's `save` gives it."""

    async def import_image(self, archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        """Load such a tar; returns the references or ids that the engine says it loaded."""

    async def tag_image(self, reference: str, target: str) -> None:
        """Give the image one more full reference."""

    async def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image by id; Conflict where a container uses it."""

    async def push_image(self, reference: str, destination: str) -> None:
        """Push an image (id or name) to "HOST:PORT/NAME:TAG" of a registry without TLS; leaves no further name here."""

    async def pull_image(self, reference: str) -> str:
        """Pull "HOST:PORT/NAME@sha256:…" or "…:TAG" from a registry without TLS; returns the image's id, bare hex.

        That name is taken away again: tag the image at once where nothing else names it.
        """

    # -- registries ------------------------------------------------------------------------------
    def pull(self, reference: str, *, platform: str = "", insecure: bool = False) -> TransferStream:
        """Pull an image under its name; the last event is Transferred. Leaving the context ends the pull on the engine.

        reference: as people write it; what the engine takes it for comes as Resolved. platform: "os/arch[/variant]",
        "" = the engine's own. insecure: plain HTTP and certificates that nobody vouches for will do (Unsupported where
        the engine decides that in its own settings). Credentials come from the engine's own store. Raises NotFound,
        Denied, RateLimited, Untrusted, Unavailable, Conflict (no space) and the engine's own.
        """

    def push(self, reference: str, *, insecure: bool = False) -> TransferStream:
        """Push an image of the store to the registry that its name says; as `pull`."""

    async def search_images(self, term: str, *, limit: int = 25) -> tuple[FoundImage, ...]:
        """Images of a registry whose names fit: "HOST/term" asks that registry, "term" the engine's usual ones.

        Raises Unsupported where the registry cannot be searched.
        """

    async def image_platforms(self, reference: str, *, insecure: bool = False) -> PlatformReport:
        """The platforms that the registry has of an image; pulls nothing."""

    async def login(self, registry: str, credentials: Credentials) -> Login:
        """Check credentials with the registry ("ghcr.io") and put them into the engine's own credential store.

        Raises Denied where the registry refuses them, Unsupported where nothing that keeps them is installed.
        """

    async def logout(self, registry: str) -> None:
        """Take a registry's credentials out of that store; NotFound where there are none."""

    async def logins(self) -> tuple[Login, ...]:
        """What is in that store, without the secrets."""

    def build_image(self, spec: BuildSpec, context: AsyncIterator[bytes]) -> BuildStream:
        """Build an image of a context, a plain tar; the first of spec.tags is given to it, tag it with the others.

        On entry the context was taken. The last event is ImageBuilt. The iterator raises why the build failed (NotFound
        for what is not there, Conflict for a step that fails or a wrong Containerfile, Unsupported), with the end of
        the step's output as detail. Leaving earlier ends the build: nothing of it runs on.
        """

    async def commit_container(self, container: str, reference: str) -> str:
        """Make an image of a container's files (volumes and binds not) with the configuration of its **own image**
        (not the container's env or command), in Docker's format, the container paused where the engine can; returns
        the id, bare hex."""

    async def changed_paths(self, container: str) -> tuple[ChangedPath, ...]:
        """What the container has changed of its image's files; mounts are not part of it."""

    def read_files(self, container: str, path: str) -> ByteStream:
        """A file or folder of a container (running or not) as tar; names in it begin with the path's last part."""

    async def write_files(self, container: str, path: str, archive: AsyncIterator[bytes]) -> None:
        """Unpack a tar under that folder of a container, running or not; owners and modes as in the tar."""

    async def room(self) -> Room:
        """How much room the engine has for images, volumes and temporary files; None where it cannot be told."""

    # -- networks --------------------------------------------------------------------------------
    async def list_networks(self) -> list[Network]:
        """All networks, the engine's own too."""

    async def inspect_network(self, name: str) -> Network:
        """One network; NotFound where there is none of this name."""

    async def create_network(self, spec: NetworkSpec) -> None:
        """Create it; Conflict where the name or an address range is taken."""

    async def remove_network(self, name: str) -> None:
        """Remove it; Conflict where a container is on it."""

    # -- volumes ---------------------------------------------------------------------------------
    async def list_volumes(self) -> list[Volume]:
        """All volumes."""

    async def inspect_volume(self, name: str) -> Volume:
        """One volume; NotFound where there is none of this name."""

    async def volume_users(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the containers that have each volume mounted, running or not; unused volumes are left out."""

    async def volume_sizes(self) -> Mapping[str, int]:
        """The bytes that each volume takes, by name, as far as the engine tells; adding them up may take long."""

    async def create_volume(self, spec: VolumeSpec) -> None:
        """Create it; Conflict where it exists already (also on engines whose API would not mind)."""

    async def remove_volume(self, name: str) -> None:
        """Remove it; Conflict where a container uses it."""

    def export_volume(self, name: str, *, via_image: str, paths: Sequence[str] = ()) -> ByteStream:
        """The volume's content as a tar whose entries are relative to its root ("./a", owners numeric, root first).

        paths: where given, at least those of these members (no directories) that are there, perhaps in several tars.
        via_image: an image in this engine's store, for the helper container (created, never started, removed on exit).
        """

    async def import_volume(self, name: str, archive: AsyncIterator[bytes], *, via_image: str) -> None:
        """Unpack such a tar into the volume, owners and modes (the root's too) as in the tar."""

    def run_in_volume(
        self, name: str, argv: Sequence[str], *, via_image: str, read_only: bool = True, stdin: bytes = b""
    ) -> ByteStream:
        """Run a program of an image with the volume at /volume as working directory, no network; yields its stdout.

        Raises Unsupported where the image has no such program, Conflict (with its stderr) where it ended with another
        code than 0. The helper container is removed on exit.
        """
