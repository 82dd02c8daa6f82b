"""What is kept of an accepted move holds no secret, and still proves the copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backends.migration.again import verify_again
from backends.migration.confirm import confirm
from backends.migration.papers import load_report, report_path
from tests.migration_scene import Scene, move, spec

COMMAND = ("serve", "--api-key=hunter2", "--password", "swordfish", "--port", "80")


async def test_no_secret_is_kept_and_the_copy_is_proved_by_what_is(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish(spec(command=COMMAND, entrypoint=("env", "DB_PASSWORD=sesame")))
    report = await move(scene, tmp_path)
    engines = {engine.id.name: engine for engine in (scene.source, scene.target)}
    await confirm(tmp_path, report.journal, engines, remove_source=False)
    text = report_path(tmp_path, report.journal).read_text()
    assert not [word for word in ("hunter2", "swordfish", "sesame") if word in text]
    kept = await load_report(tmp_path, report.journal)
    assert kept is not None
    assert (kept.plan.spec.command or ())[-2:] == ("--port", "80"), "what is no secret is kept"
    checks = await verify_again(tmp_path, report.journal, engines)
    assert all(check.equal for check in checks), [check for check in checks if not check.equal]
    (hidden,) = [check for check in checks if check.subject == "secrets"]
    assert "4 values" in (hidden.source, hidden.target)

    copy = scene.target.world.container("train")
    copy.spec = replace(copy.spec, command=(*COMMAND[:-1], "81"))
    assert "command" in {one.subject for one in await verify_again(tmp_path, report.journal, engines) if not one.equal}
