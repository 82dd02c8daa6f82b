"""docs/configuration.md, made from the settings' own fields: `python -m tui.settings_document` (make docs)."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from tui import config
from tui.actions import ACTIONS, key_label
from tui.cli.manual import FILES, VARIABLES
from tui.config import NOTICES, EngineSetting, NotifySetting, Settings

_HEAD = f"""# Configuration

Made by `make docs` from the program itself. Settings are read from `config.toml` in your configuration directory
(`~/.config/tranship`, or `$XDG_CONFIG_HOME/tranship`; `tranship doctor` prints where), or from `--config PATH`. There
need not be one. A key that is unknown is refused with the nearest that is known, and so is a value out of range.

```toml
readonly = true                # as --readonly
kubernetes = ["lab", "prod=vision"]  # contexts of the kubeconfig whose Pods are in the fleet, as --kube
refresh_s = 2.0                # between two readings of CPU, memory and GPUs
idle_gpu_minutes = 10          # after which a container that holds GPU memory and computes nothing is called idle
theme = "tranship-light"       # or any theme of Textual

[keys]
"container.stop" = "f8"

[notify]                       # of what happened without you; each is true unless said
finished = false               # also: failed, unhealthy, out_of_memory, gpu_idle
desktop = false                # also: screen, bell

[[engines]]
name = "gpu01"
kind = "docker"                # or "podman"
url = "ssh://me@gpu01"         # or unix://, tcp:// with tls_dir
```

`refresh_s` is from {config.SMALLEST_INTERVAL_S:g} to {config.LARGEST_INTERVAL_S:g} seconds, `idle_gpu_minutes`
from 0 to {config.LONGEST_IDLE_MINUTES:g} minutes. Options of the command line (`--readonly`, `--demo`) are laid over
the file.
"""


def markdown() -> str:
    """The whole document, with a newline at its end."""
    lines = [_HEAD, *_table("Keys of the file", Settings, but=("demo", "engines", "keys", "notify"))]
    lines += ["## `[keys]`", "", "An action's id and its keys, with commas between them; the ids stand below.", ""]
    lines += ["## `[notify]`", "", "What is told of containers that nobody acted on; each is true unless said.", ""]
    lines += ["| key | meaning |", "|---|---|"]
    lines += [f"| `{kind}` | it {_SAID[kind]} |" for kind in sorted(NOTICES)]
    ways = _meanings(NotifySetting)
    lines += [f"| `{way}` | {ways[way]} |" for way in ("screen", "bell", "desktop")]
    lines += ["", *_table("`[[engines]]`, one for each", EngineSetting)]
    lines += ["## Environment", "", "| variable | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {said} |" for name, said in VARIABLES]
    lines += ["", "## Files", "", "| where | what |", "|---|---|"]
    lines += [f"| `{path}` | {said} |" for path, said in FILES]
    lines += ["", "What lies in the state directory is yours alone (0600 in 0700).", ""]
    lines += ["Presets of your own: [presets.md](presets.md).", ""]
    lines += ["## Ids of actions", "", "| id | keys | what it does |", "|---|---|---|"]
    for action in ACTIONS:
        keys = " ".join(f"`{key_label(key)}`" for key in action.keys)
        lines.append(f"| `{action.id}` | {keys} | {action.title} |")
    return "\n".join(lines) + "\n"


_SAID = {
    "failed": "ended with another code than 0",
    "finished": "ended with 0",
    "gpu_idle": "holds GPU memory and computes nothing",
    "out_of_memory": "ran out of memory",
    "unhealthy": "became unhealthy",
}


def _table(title: str, kind: type[Settings] | type[EngineSetting], but: tuple[str, ...] = ()) -> Iterator[str]:
    meanings = _meanings(kind)
    yield from (f"## {title}", "", "| key | unless said | meaning |", "|---|---|---|")
    for field in fields(kind):
        if field.name not in but:
            yield f"| `{field.name}` | {_default(field)} | {meanings[field.name]} |"
    yield ""


def _default(field: Field[Any]) -> str:
    if field.default is MISSING:
        return "needed"
    return (
        f"`{str(field.default).lower()}`"
        if isinstance(field.default, bool)
        else f"`{field.default!r}`".replace("'", '"')
    )


def _meanings(kind: type) -> dict[str, str]:
    """By field: the words that stand below it in its class."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    told: dict[str, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        words = after.value if isinstance(after, ast.Expr) else None
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(words, ast.Constant)
        ):
            told[before.target.id] = " ".join(str(words.value).split())
    return told


def main() -> None:
    """Write the document to stdout."""
    import sys

    sys.stdout.write(markdown())


if __name__ == "__main__":
    main()
