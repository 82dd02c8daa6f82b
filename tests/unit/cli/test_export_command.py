"""`tranship export` on the demo fleet: what it prints, writes and installs, and what it will not."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.export.exported import PRIVATE_MODE, Exported, ExportFile
from tests.unit.cli.demo import demo, document
from tui.cli.export import show
from tui.screens.export import text_lines


def test_the_line_of_its_own_engine() -> None:
    ran = demo("export", "train-llama3-8b")
    assert ran.exit_code == 0, ran.stderr
    made = "docker volume inspect checkpoints >/dev/null 2>&1 || docker volume create checkpoints\n"
    line = "# train-llama3-8b\ndocker run --detach \\\n  --name train-llama3-8b \\\n"
    assert ran.stdout.startswith(f"{made}\n{line}")
    assert "--device nvidia.com/gpu=0" in ran.stdout


def test_json_has_all_files_and_findings() -> None:
    told = document("export", "train-llama3-8b", "--as", "quadlet")
    assert [(one["name"], one["mode"]) for one in told["files"]] == [
        ("train-llama3-8b.container", "0644"), ("checkpoints.volume", "0644"),
    ]  # fmt: skip
    assert set(told) == {"schema", "files", "written", "findings", "commands", "applied"}
    assert all(set(one) == {"severity", "title", "detail", "remedy"} for one in told["findings"])
    assert told["commands"][0] == "systemctl --user daemon-reload"


def test_a_project_is_written_together_and_over_nothing(tmp_path: Path) -> None:
    argv = ("export", "--project", "mlops", "--as", "quadlet", "--out", str(tmp_path))
    ran = demo(*argv)
    assert ran.exit_code == 0, ran.stderr
    assert sorted(path.name for path in tmp_path.glob("*.container")) == [
        "mlops-minio-1.container", "mlops-mlflow-1.container", "mlops-postgres-1.container",
    ]  # fmt: skip
    copied, reloaded = [line for line in ran.stderr.splitlines() if line.startswith("next: ")][:2]
    assert copied.startswith("next: mkdir -p "), "they lie where systemd does not look"
    assert f"{tmp_path}/mlops-minio-1.container" in copied
    assert reloaded == "next: systemctl --user daemon-reload"
    again = demo(*argv)
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)
    assert demo(*argv, "--force").exit_code == 0


def test_units_are_installed_where_systemd_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    ran = demo("export", "train-llama3-8b", "--as", "quadlet", "--install", "user", "--yes")
    assert ran.exit_code == 0, ran.stderr
    assert (tmp_path / "containers/systemd/train-llama3-8b.container").read_text().count("[Container]") == 1
    assert "loginctl enable-linger" in ran.stderr
    assert "cp -p" not in ran.stderr
    refused = demo("--readonly", "export", "tensorboard", "--as", "quadlet", "--install", "user", "--yes")
    assert (refused.exit_code, "read-only" in refused.stderr) == (1, True)
    assert not (tmp_path / "containers/systemd/tensorboard.container").exists()


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("--install", "user", "--yes"), "--install is for --as quadlet"),
        (("--as", "quadlet", "--install", "user"), "no terminal to ask on"),
        (("--as", "quadlet", "--install", "user", "--yes", "--out", "x"), "say two places"),
        (("--context", "lab"), "are for --apply"),
        (("--dry-run",), "are for --apply"),
        (("--apply", "--context", "lab"), "--apply is for --as kubernetes"),
        (("--as", "kubernetes", "--play", "--apply", "--context", "lab"), "without --play"),
        (("--as", "kubernetes", "--apply"), "say to which cluster"),
        (("--as", "kubernetes", "--apply", "--context", "lab"), "no terminal to ask on"),
        (("--as", "kubernetes", "--insecure"), "--insecure is for --push"),
    ],
)
def test_options_that_do_not_go_together(argv: tuple[str, ...], why: str) -> None:
    ran = demo("export", "train-llama3-8b", *argv)
    assert (ran.exit_code, why in ran.stderr) == (2, True), ran.stderr


def test_manifests_are_compared_with_the_schemas() -> None:
    ran = demo("export", "--project", "mlops", "--as", "kubernetes")
    assert ran.exit_code == 0, ran.stderr
    assert "valid by the schemas of Kubernetes" in ran.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_what_looks_secret_is_never_printed(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    made = Exported((ExportFile("a.yaml", "kind: Pod\n"), ExportFile("a.env", "TOKEN=hunter2\n", PRIVATE_MODE)))
    show(made, (), as_json=as_json)
    printed = capsys.readouterr()
    assert "kind: Pod" in printed.out
    assert "a.env" in printed.out
    assert "hunter2" not in printed.out + printed.err
    assert "hunter2" not in str(text_lines(made, 80))


def test_pushed_images_are_named_in_the_files_by_digest() -> None:
    ran = demo("export", "train-llama3-8b", "--as", "kubernetes", "--push", "registry.example.com/team")
    assert ran.exit_code == 1  # the demo's registry wants a login
    assert "login" in ran.stderr
    ran = demo("export", "train-llama3-8b", "--as", "kubernetes", "--push", "ghcr.io/team")
    assert ran.exit_code == 0, ran.stderr
    assert "image: 'ghcr.io/team/" in ran.stdout
    assert "@sha256:" in ran.stdout


def test_compose_uses_what_is_there_where_that_is_said(tmp_path: Path) -> None:
    steps = demo("export", "--project", "mlops", "--as", "compose", "--out", str(tmp_path)).stderr
    assert f"next: cd {tmp_path}\nnext: docker compose -f compose.yaml up -d" in steps
    made = demo("export", "--project", "mlops", "--as", "compose").stdout
    assert "external: true" not in made
    assert "external: true" in demo("export", "--project", "mlops", "--as", "compose", "--external").stdout
    assert "--external is for --as compose" in demo("export", "web", "--external").stderr
