"""Examples that each command's --help ends with: data. Runs nothing; tests parse every line of it."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "advise": (
        ("advise train", "who serves it, and by which facts"),
        ("advise web -e docker --json", "statements, counts and rule for scripts"),
    ),
    "attach": (
        ("attach train", "its output from now on, and your keys"),
        ("attach --no-stdin train", "only listen"),
    ),
    "audit": (
        ("audit --since 7d --container web", "what was done to it, by whom"),
        ("audit --verify", "exit code 1 where a line was changed or taken away"),
        ("audit --deployments --json", "what ran where, from which digest"),
    ),
    "backup": (
        ("backup web web.backup", "image, volumes and configuration in one file"),
        ("backup web /srv/web.bak --from podman", "of one engine"),
        ("backup web /srv/backups --keep 7", "one more there; the 7 newest good ones stay"),
    ),
    "build": (
        ("build . -t app:2 -e podman", "steps and output as they come"),
        ("build src -f src/Dockerfile.gpu --target test -t app:t", "another file, one stage"),
    ),
    "change": (
        ("change --shm-size 8g train", "the one before is kept, stopped"),
        ("change --gpus 0,1 train python train.py", "with a new command"),
    ),
    "cp": (
        ("cp train:/results/model.pt .", "running or not"),
        ("cp config.yaml train:/etc/app/", "into it"),
        ("cp web:/data other:/data --from docker --to podman", "between engines"),
    ),
    "doctor": (
        ("doctor", "what is amiss, and the command that mends it"),
        ("doctor --json", "the same for scripts; exit code 3 where an engine does not answer"),
    ),
    "engines": (
        ("engines", "what is there, what is not, and why"),
        ("engines --json", "with what each can do"),
    ),
    "events": (
        ("events --kind container --grep 'die|oom'", "only what ends badly"),
        ("events --json", "one document a line"),
    ),
    "exec": (
        ("exec train nvidia-smi", "its exit code is yours"),
        ("exec -it train python", "with a terminal"),
        ("exec -i train tar x -C /data", "with a pipe's bytes"),
    ),
    "export": (
        ("export web", "the line that makes it again"),
        ("export web --as quadlet --out units", "files for systemd"),
        ("export --project shop --as quadlet --install user", "a whole project"),
        ("export --project shop --as compose --out shop", "the same for Compose"),
        ("export trainer --as kubernetes --workload job", "for a cluster"),
        ("export api --as kubernetes --push ghcr.io/team", "its image pushed, named by digest"),
        ("export api --as kubernetes --apply --context lab", "into that cluster"),
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
    "links": (
        ("links jupyter", "where its pages are, and the ssh -L line"),
        ("links jupyter --tokens --plain", "whole addresses, for a script"),
    ),
    "login": (
        ("login ghcr.io -u ann -e docker", "asks for the password or token"),
        ("login --list", "who is logged in where"),
    ),
    "logout": (
        ("logout ghcr.io", "out of the store of the only engine"),
        ("logout ghcr.io -e podman", "of this one"),
    ),
    "logs": (
        ("logs -f web", "follow it"),
        ("logs web --since 10m --grep 'timeout|refused'", "of the last ten minutes"),
        ("logs api worker -f --level warning", "two of them, merged"),
    ),
    "migrate": (
        ("migrate web --from docker --to podman --plan", "what would be done; does nothing"),
        ("migrate web --from docker --to gpu01 --yes", "do it, to an engine over SSH too"),
        ("migrate web --undo", "take it back"),
    ),
    "network": (
        ("network ls", "who is on each"),
        ("network create lab -e podman", "a bridge of its own"),
    ),
    "pause": (
        ("pause train", "GPU memory stays taken"),
        ("pause --project shop", "a Compose project or pod"),
    ),
    "presets": (
        ("presets", "kinds of containers"),
        ("presets vllm", "what it sets, and why"),
    ),
    "ps": (
        ("ps --stats", "with CPU and memory"),
        ("ps --running --engine podman", "of one engine"),
        ("ps --kube lab --kube prod=vision", "the Pods of two clusters too"),
    ),
    "pull": (
        ("pull redis:7 -e docker -e podman", "on both at once"),
        ("pull app:2 --platform linux/arm64", "for another machine"),
    ),
    "push": (
        ("push ghcr.io/team/app:2 -e podman", "by the engine's own login"),
        ("push ghcr.io/team/a:1 ghcr.io/team/b:1", "both at once"),
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
    "run": (
        ("run --gpus 1 -v ~/data:/data:ro app:2 python train.py", "checked before it is made"),
        ("run --preset jupyter -p 8889:8888", "with what Jupyter needs"),
        ("run --like train --name train2", "as that one"),
    ),
    "schedule": (
        ("schedule web --to /srv/backups --keep 7", "shows its units, daily"),
        ("schedule web --every 'Mon 02:30' --to /srv --install", "to systemd"),
        ("schedule --list", "what comes when"),
    ),
    "search": (
        ("search pytorch", "the usual registries"),
        ("search ghcr.io/team/app -n 5", "that registry"),
    ),
    "security": (
        ("security", "all of them, worst first; exit code 1 from high up"),
        ("security train --severity medium", "one container and its engine, stricter"),
        ("security -e podman --json", "for CI: with fact, field and remedy"),
        ("security train --scan", "layers, by Trivy or Grype; or --signatures"),
    ),
    "shell": (
        ("shell train", "bash, zsh, fish, ash or sh"),
        ("shell -u root train", "as another user"),
    ),
    "start": (
        ("start web", "by name or the beginning of its id"),
        ("start --project shop", "what others need first, healthy where Compose says so"),
    ),
    "stop": (
        ("stop web --engine docker", "where both engines have a web"),
        ("stop --time 60 train", "a minute to write its checkpoint"),
    ),
    "sweep": (
        ("sweep -j 2 --grid lr=0.1,0.01 --grid n=1..3 app:2 train.py {lr} {n}", "6 runs"),
        ("sweep --commands runs.txt --gpus-each 1 -j 8 --retries 1 app:2", "a GPU each"),
    ),
    "trial": (
        ("trial web --on docker,podman --report trial.md", "copies, in turn"),
        ("trial app:2 --ready port --exec 'python bench.py'", "with a command's throughput"),
        ("trial redis:7 --ready port --density 50 --json", "idle copies that each holds"),
    ),
    "unpause": (
        ("unpause train", "it goes on where it was"),
        ("unpause --project shop", "a Compose project or pod"),
    ),
    "verify-backup": (
        ("verify-backup web.backup", "exit code 1 where a byte is wrong"),
        ("verify-backup /srv/backups/*.backup", "several"),
    ),
    "volume": (
        ("volume ls", "who uses each, and what it takes"),
        ("volume browse cache /hub", "its files"),
        ("volume cp checkpoints /run7/best.pt .", "out of it, whether or not a container has it"),
    ),
    "web": (
        ("web", "the address, with its token, is printed"),
        ("web --port 8642 --readonly", "for `ssh -L 8642:127.0.0.1:8642 HOST`"),
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
