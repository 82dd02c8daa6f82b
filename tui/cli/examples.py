"""Examples that each command's --help ends with: data. Runs nothing; tests parse every line of it."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "backup": (
        ("backup web web.backup", "image, volumes and configuration in one file"),
        ("backup web /srv/web.bak --from podman", "of one engine"),
    ),
    "doctor": (
        ("doctor", "what is amiss, and the command that mends it"),
        ("doctor --json", "the same for scripts; exit code 3 where an engine does not answer"),
    ),
    "engines": (
        ("engines", "what is there, what is not, and why"),
        ("engines --json", "with what each can do"),
    ),
    "gpus": (
        ("gpus --watch", "again and again in place"),
        ("gpus --idle", "who holds memory and computes nothing"),
        ("gpus --usage --by user --since 7d", "GPU-hours of the last week"),
    ),
    "image": (
        ("image copy web:1 --from docker --to podman", "only layers that the other lacks travel"),
        ("image prune --all", "says what is freed, and asks"),
    ),
    "images": (
        ("images", "of all engines: size, what of it is its own, who uses it"),
        ("images --json", "with layers and who shares them"),
    ),
    "kill": (
        ("kill web", "SIGKILL"),
        ("kill web --signal HUP", "let it read its settings again"),
    ),
    "layers": (
        ("layers python:3.11", "its steps"),
        ("layers app:2 --waste", "what is hidden, and what need not be there"),
        ("layers app:2 --against app:1", "files that differ"),
    ),
    "logs": (
        ("logs -f web", "follow it"),
        ("logs web --tail 100 --timestamps", "the last lines, with their times"),
    ),
    "migrate": (
        ("migrate web --from docker --to podman --plan", "what would be done; does nothing"),
        ("migrate web --from docker --to gpu01 --yes", "do it, to an engine over SSH too"),
        ("migrate web --undo", "take it back"),
    ),
    "pause": (
        ("pause train", "GPU memory stays taken"),
        ("pause --project shop", "a Compose project or pod"),
    ),
    "ps": (
        ("ps --stats", "with CPU and memory"),
        ("ps --running --engine podman", "of one engine"),
    ),
    "rename": (
        ("rename web web-old", "it runs on meanwhile"),
        ("rename web web-old --engine podman", "where both engines have a web"),
    ),
    "restart": (
        ("restart web api", "several at once"),
        ("restart --project shop", "what others need first"),
    ),
    "restore": (
        ("restore web.backup --to podman --plan", "what would be made; does nothing"),
        ("restore web.backup --to docker", "make it"),
    ),
    "rm": (
        ("rm web", "asks first"),
        ("rm --force --yes web api", "running ones too, without a question"),
    ),
    "start": (
        ("start web", "by name or the beginning of its id"),
        ("start --project shop", "what others need first, healthy where Compose says so"),
    ),
    "stop": (
        ("stop web --engine docker", "where both engines have a web"),
        ("stop --time 60 train", "a minute to write its checkpoint"),
    ),
    "unpause": (
        ("unpause train", "it goes on where it was"),
        ("unpause --project shop", "a Compose project or pod"),
    ),
}
"""By command: what stands after `tranship`, and what it is for."""


def epilog(command: str) -> str | None:
    """The examples as click shows them, not wrapped anew; None where there are none."""
    examples = EXAMPLES.get(command)
    if not examples:
        return None
    cells = max(len(line) for line, _ in examples)
    lines = [f"  tranship {line:{cells}}  # {said}" for line, said in examples]
    return "\n".join(["\b", "Examples:", *lines])
