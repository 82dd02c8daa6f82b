"""Moves between real engines. What came of them is asked from the engines themselves."""

from __future__ import annotations

import asyncio
import json
import urllib.request

import pytest

from backends.migration import MARK, plan_migration, run_migration
from backends.model.errors import Refused
from backends.model.events import Phase
from backends.model.plan import Choices, ImageWay, MigrationFailed, Severity, StepKind, StepProgress, Verdict
from tests.engines_migration.yard import Yard
from tests.real import host_port
from tests.thorough import thorough

pytestmark = pytest.mark.engines

PAIRS = [
    ("docker", "podman", ImageWay.REGISTRY),
    *thorough(("podman-rootless", "podman", ImageWay.REGISTRY), ("docker", "podman-rootless", ImageWay.ARCHIVE)),
]


def labels(yard: Yard, engine: str, container: str) -> dict[str, str]:
    """The container's labels as the engine tells them."""
    found = json.loads(yard.ask(engine, container, "{{json .Config.Labels}}"))
    assert isinstance(found, dict)
    return found


async def fetched(yard: Yard, port: int, path: str) -> str:
    """What the web server at the published port gives, tried until it answers."""
    url = f"http://{yard.real.ip}:{port}/{path}"

    def get() -> str:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return str(answer.read().decode())

    async with asyncio.timeout(20):
        while True:
            try:
                return await asyncio.to_thread(get)
            except OSError:
                await asyncio.sleep(0.1)


@pytest.mark.parametrize(("here", "there", "way"), PAIRS)
async def test_there_and_back_with_a_thousand_files(yard: Yard, here: str, there: str, way: ImageWay) -> None:
    yard.let_docker_know("test/busybox:1")
    port = host_port()
    image = yard.build(here)
    name = yard.run_web(here, port)
    files, env, marks = yard.look(here, name), yard.env(here, name), labels(yard, here, name)
    assert files.count("\n") > 3000
    assert files.rstrip().endswith("one-file")
    assert {"COLOR=blue", "API_TOKEN=hunter2 with space", "EMPTY=", "WORD=one"} <= env
    assert not yard.image_id(there)

    seen: list[StepProgress] = []
    report = first = await yard.move(here, there, name, choices=Choices(image_way=way), on_update=seen.append)
    assert report.equal, [check for check in report.checks if not check.equal]
    assert yard.ask(here, name, "{{.State.Status}}") == "exited"
    assert yard.ask(there, name, "{{.State.Status}}") == "running"
    assert yard.look(there, name) == files
    assert yard.env(there, name) == env
    assert labels(yard, there, name) == marks
    assert yard.image_id(there) == image
    check = yard.ask(here, name, "{{with .Config.Healthcheck}}{{.Test}} {{.Interval}}{{end}}").strip()
    assert check == ("[CMD-SHELL test -d /] 1s" if here == "docker" else "")
    assert yard.ask(there, name, "{{with .Config.Healthcheck}}{{.Test}} {{.Interval}}{{end}}").strip() == check
    assert await fetched(yard, port, "f8") == "content 8\n"
    sent = max(update.done_bytes or 0 for update in seen if update.step.kind is StepKind.IMAGE)
    assert (sent < 200_000) == (way is ImageWay.REGISTRY), "the layers below are on the target"
    assert yard.has(here, "volume", f"{yard.run}-data")

    back = f"{name}-back"
    report = await yard.move(there, here, name, choices=Choices(name=back))
    assert report.equal, [check for check in report.checks if not check.equal]
    assert report.plan.steps[0].skip, "the image was there already"
    assert yard.look(here, back) == files
    assert yard.env(here, back) == env
    assert labels(yard, here, back) == marks
    assert yard.image_id(here) == image
    for template in ("{{json .Config.Cmd}}", "{{.Config.Image}}"):
        assert yard.ask(here, back, template) == yard.ask(here, name, template), template
    # Rootless Podman enforces no limits on cgroup v1: there the plan says that they are dropped.
    limit = (
        "0" if any(field.field == "memory_bytes" and not field.target for field in first.plan.fields) else "67108864"
    )
    if here != "podman-rootless":
        assert yard.ask(here, back, "{{.HostConfig.Memory}}") == limit
    assert await fetched(yard, port, "f8") == "content 8\n"
    assert yard.ask(there, name, "{{.State.Status}}") == "exited"
    assert not yard.helpers(here)
    assert not yard.helpers(there)
    mark = yard.cli(here, "volume", "inspect", "-f", f'{{{{index .Labels "{MARK}"}}}}', f"{yard.run}-data-{back}")
    assert mark.strip() == report.journal


async def test_an_anonymous_volume_is_carried_and_so_is_what_was_asked_for(yard: Yard) -> None:
    options = ["--name", yard.run, "--cap-add", "SYS_PTRACE", "--dns", "9.9.9.9", "--shm-size", "123m", *yard.marks]
    yard.cli("docker", "run", "-d", *options, "test/web:1")
    yard.cli("docker", "exec", yard.run, "sh", "-c", "echo kept > /vol/file; chown 5:6 /vol/file")
    plan = await plan_migration(yard.engine("docker"), yard.run, yard.engine("podman"))
    same = {field.field for field in plan.fields if field.verdict is Verdict.SAME}
    assert {"security.cap_add", "network.dns", "namespaces.shm_bytes"} <= same
    report = await yard.move("docker", "podman", yard.run)
    assert report.equal
    assert "SYS_PTRACE" in yard.ask("podman", yard.run, "{{.HostConfig.CapAdd}}")
    assert yard.ask("podman", yard.run, "{{.HostConfig.Dns}} {{.HostConfig.ShmSize}}") == f"[9.9.9.9] {123 << 20}"
    assert yard.cli("podman", "exec", yard.run, "stat", "-c", "%u %g %s", "/vol/file").split() == ["5", "6", "5"]
    assert yard.has("podman", "volume", f"{yard.run}-vol")


async def test_a_name_that_is_taken_blocks_and_touches_nothing(yard: Yard) -> None:
    yard.build("docker")
    yard.cli("docker", "run", "-d", "--name", yard.run, *yard.marks, yard.image, "sleep", "1000")
    yard.cli("podman", "create", "--name", yard.run, *yard.marks, "test/busybox:1", "true")
    plan = await plan_migration(yard.engine("docker"), yard.run, yard.engine("podman"))
    assert [f.severity for f in plan.findings if "already has a container" in f.title] == [Severity.BLOCK]
    with pytest.raises(Refused):
        await yard.move("docker", "podman", yard.run)
    assert yard.ask("docker", yard.run, "{{.State.Status}}") == "running"
    assert not yard.image_id("podman")


def assert_as_before(yard: Yard, there: str, files: str) -> None:
    """The source runs with its files, and the target has nothing of ours."""
    assert yard.ask("docker", yard.run, "{{.State.Status}}") == "running"
    assert yard.look("docker", yard.run) == files
    assert not yard.has(there, "container", yard.run)
    assert not yard.has(there, "volume", f"{yard.run}-data")
    assert not yard.image_id(there)
    assert not yard.helpers(there)
    assert not yard.helpers("docker")


@pytest.mark.parametrize("there", ["podman-rootless", *thorough("podman")])
async def test_a_port_that_is_taken_at_the_start_puts_everything_back(yard: Yard, there: str) -> None:
    port = host_port()
    yard.build("docker")
    yard.run_web("docker", port)
    files = yard.look("docker", yard.run)
    thief = f"{yard.run}-thief"

    def steal(update: StepProgress) -> None:
        if update.step.kind is StepKind.STOP_SOURCE and update.phase is Phase.DONE:
            yard.cli("docker", "run", "-d", "--name", thief, *yard.marks, "-p", f"{port}:80", "test/web:1")
        if update.phase is Phase.FAILED:
            yard.cli("docker", "rm", "-f", "-v", thief)

    with pytest.raises(MigrationFailed) as failure:
        await yard.move("docker", there, yard.run, on_update=steal)
    assert failure.value.step.kind is StepKind.START
    assert failure.value.undone.left == ()
    assert_as_before(yard, there, files)
    assert await fetched(yard, port, "f8") == "content 8\n"


@pytest.mark.parametrize(
    ("there", "when"),
    [
        ("podman", StepKind.IMAGE),
        ("podman-rootless", StepKind.START),
        *thorough(("podman-rootless", StepKind.PRECOPY), ("podman", StepKind.VOLUME)),
        *thorough(("podman", StepKind.PRECOPY), ("podman", StepKind.START)),
        *thorough(("podman-rootless", StepKind.IMAGE), ("podman-rootless", StepKind.VOLUME)),
    ],
)
async def test_a_move_that_is_called_off_puts_everything_back(yard: Yard, there: str, when: StepKind) -> None:
    yard.build("docker")
    yard.run_web("docker", host_port())
    files = yard.look("docker", yard.run)
    task: asyncio.Task[object] | None = None

    def call_off(update: StepProgress) -> None:
        due = update.done_bytes if when in {StepKind.IMAGE, StepKind.PRECOPY} else update.phase is Phase.STARTED
        if task is not None and update.step.kind is when and due and not update.undoing:
            task.cancel()

    task = asyncio.create_task(yard.move("docker", there, yard.run, on_update=call_off))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_as_before(yard, there, files)


async def test_another_image_of_the_same_name_stays_as_it_is(yard: Yard) -> None:
    ours, theirs = yard.build("docker", "ours"), yard.build("podman", "theirs")
    yard.cli("docker", "run", "-d", "--name", yard.run, *yard.marks, yard.image, "sleep", "1000")
    report = await yard.move("docker", "podman", yard.run)
    assert report.equal
    assert yard.image_id("podman") == theirs
    assert yard.ask("podman", yard.run, "{{.Image}}") == ours
    assert yard.cli("podman", "exec", yard.run, "sh", "-c", "echo $WORD").strip() == "ours"
    yard.cli("podman", "rm", "-f", yard.run)
    yard.cli("podman", "rmi", ours)


async def test_a_paused_source_is_paused_again_after_a_failure(yard: Yard) -> None:
    yard.build("docker")
    yard.cli("docker", "run", "-d", "--name", yard.run, *yard.marks, yard.image, "sleep", "1000")
    yard.cli("docker", "pause", yard.run)
    here, there = yard.engine("docker"), yard.engine("podman")
    plan = await plan_migration(here, yard.run, there)

    def take_the_name(update: StepProgress) -> None:
        if update.step.kind is StepKind.STOP_SOURCE and update.phase is Phase.DONE:
            yard.cli("podman", "create", "--name", yard.run, *yard.marks, "test/busybox:1", "true")

    with pytest.raises(MigrationFailed):
        await run_migration(plan, here, there, on_update=take_the_name, state_dir=yard.state_dir)
    assert yard.ask("docker", yard.run, "{{.State.Status}}") == "paused"
    assert yard.ask("podman", yard.run, "{{.Config.Cmd}}") == "[true]", "what another made is not removed"


async def test_an_image_without_tar_is_moved_with_its_volume(yard: Yard) -> None:
    yard.build_bare("docker")
    volume = f"{yard.run}-data"
    yard.cli("docker", "volume", "create", *yard.marks, volume)
    fill = "echo kept > /data/file; chown 5:6 /data /data/file"
    yard.cli("docker", "run", "--rm", "-v", f"{volume}:/data", *yard.marks, "test/busybox:1", "sh", "-c", fill)
    yard.cli("docker", "run", "-d", "--name", yard.run, "-v", f"{volume}:/data", yard.image, "/sleep", "999")
    report = await yard.move("docker", "podman", yard.run)
    assert report.equal
    look = ["run", "--rm", "-v", f"{volume}:/data", "test/busybox:1", "stat", "-c", "%u %g", "/data", "/data/file"]
    assert yard.cli("podman", *look).split() == ["5", "6", "5", "6"]


async def test_a_volume_that_no_image_can_read_blocks_the_plan_and_stops_nothing(yard: Yard) -> None:
    yard.build("podman")
    volume = f"{yard.run}-data"
    yard.cli(
        "podman", "run", "-d", "--name", yard.run, "-v", f"{volume}:/data", *yard.marks, yard.image, "sleep", "999"
    )
    yard.cli("podman", "exec", yard.run, "sh", "-c", "echo x > /data/f; chown 2000000000:5 /data/f")
    plan = await plan_migration(yard.engine("podman"), yard.run, yard.engine("docker"))
    found = [finding for finding in plan.findings if finding.severity is Severity.BLOCK]
    assert ["cannot write the owners" in finding.title for finding in found] == [True], "busybox cuts such numbers"
    assert "2000000000" in found[0].detail
    assert "GNU tar" in found[0].remedy
    assert yard.ask("podman", yard.run, "{{.State.Status}}") == "running"
    assert not yard.helpers("podman")


async def test_an_empty_volume_stays_empty_where_the_image_has_files(yard: Yard) -> None:
    volume = f"{yard.run}-data"
    for here, there in (("docker", "podman"), ("podman", "docker")):
        name = f"{yard.run}-{here}"
        options = ["-v", f"{volume}-{here}:/data:nocopy", "--no-healthcheck", *yard.marks]
        yard.cli(here, "run", "-d", "--name", name, *options, "test/web:1", "sleep", "999")
        assert yard.cli(here, "run", "--rm", "test/web:1", "ls", "/data"), "the image has files there"
        assert (await yard.move(here, there, name)).equal
        assert yard.cli(there, "exec", name, "ls", "-A", "/data") == ""


@pytest.mark.parametrize(("here", "there"), [("docker", "podman"), ("podman", "docker")])
async def test_ports_chosen_by_the_engine_and_folders_of_volumes(yard: Yard, here: str, there: str) -> None:
    image, volume = yard.build(here), f"{yard.run}-data"
    assert image
    yard.cli(here, "volume", "create", *yard.marks, volume)
    fill = "mkdir /v/sub; echo in > /v/sub/f"
    yard.cli(here, "run", "--rm", "-v", f"{volume}:/v", *yard.marks, "test/busybox:1", "sh", "-c", fill)
    word = "volume-subpath" if here == "docker" else "subpath"
    options = ["-p", "80", "--mount", f"type=volume,src={volume},dst=/data,{word}=sub", *yard.marks]
    yard.cli(here, "run", "-d", "--name", yard.run, *options, yard.image, "sleep", "999")
    report = await yard.move(here, there, yard.run)
    assert report.equal
    assert yard.cli(there, "exec", yard.run, "cat", "/data/f") == "in\n"
    assert not [field for field in report.plan.fields if field.verdict is Verdict.DROPPED]
    assert yard.cli(there, "port", yard.run)


async def test_another_container_on_the_same_volume_is_named_on_podman_too(yard: Yard) -> None:
    for name in (yard.run, f"{yard.run}-other"):
        mount = ["-v", f"{yard.run}-data:/data", *yard.marks]
        yard.cli("podman", "run", "-d", "--name", name, *mount, "test/busybox:1", "sleep", "999")
    plan = await plan_migration(yard.engine("podman"), yard.run, yard.engine("docker"))
    warned = [finding.title for finding in plan.findings if finding.severity is Severity.WARN]
    assert [title for title in warned if f"{yard.run}-other" in title], warned
