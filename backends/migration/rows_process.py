"""Rows of the field table: identity, process, environment, labels, lifecycle. Pure data and rules."""

from __future__ import annotations

from dataclasses import replace

from backends.giving import VISIBLE
from backends.migration.rules import podman_only
from backends.migration.show import argv, seconds, shown, words, yes
from backends.migration.table import PAIRS, PLAIN_TEXT, Case, Fate, Row, dropped, text
from backends.model.settings import UNLIMITED
from backends.model.workload import WorkloadSpec

OURS = "io.tranship."
"""Prefix of the labels that Tranship itself writes; they belong to one move and are not carried on."""

LONGEST_STOP_S = 365 * 24 * 3600
"""What "for ever" becomes on Podman, whose stop timeout is an unsigned number of seconds."""


def _name(_value: str, case: Case) -> Fate:
    return Fate(case.decided.name.value, case.decided.name.reason)


def _image(_value: str, case: Case) -> Fate:
    return Fate(case.decided.image.value, case.decided.image.reason)


def _visible(name: str, case: Case) -> str:
    """NVIDIA's runtime goes by this variable: an old one would speak against GPUs that are chosen anew."""
    anew = name == VISIBLE and not case.decided.choices.gpus.keeps
    return "the GPUs that were chosen take its place" if anew else ""


def _old_mark(name: str, _case: Case) -> str:
    return "Tranship's own mark of an earlier move" if name.startswith(OURS) else ""


def _podmans_own(name: str, case: Case) -> str:
    return "it says something to Podman only" if case.target.docker and name.startswith("io.podman.") else ""


def _hostname(value: str, case: Case) -> Fate:
    if case.target.podman and case.spec.namespaces.uts not in {"", "private"}:
        return dropped("Podman gives no host name to a container that has not its own UTS namespace")
    return Fate(value)


def _init(value: bool, case: Case) -> Fate:
    pid = case.spec.namespaces.pid
    joined = pid == "host" or pid.removeprefix("container:") in case.decided.partners
    if case.target.podman and joined:
        return dropped("Podman adds an init process to a PID namespace of the container's own only")
    return Fate(value)


def _domainname(value: str, case: Case) -> Fate:
    if case.target.docker:
        return Fate(value)
    name = case.spec.hostname
    if name and case.spec.namespaces.uts in {"", "private"}:
        whole = name if name.endswith(f".{value}") else f"{name}.{value}"

        def host(spec: WorkloadSpec) -> WorkloadSpec:
            return replace(spec, hostname=whole)

        return Fate(
            "", "Podman has no domain name: the host name is written in full", text=f"hostname {whole}", edit=host
        )

    def search(spec: WorkloadSpec) -> WorkloadSpec:
        found = tuple(dict.fromkeys((*spec.network.dns_search, value)))
        return replace(spec, network=replace(spec.network, dns_search=found))

    return Fate("", "Podman has no domain name: names are searched for in it", text=f"dns_search {value}", edit=search)


def _groups(value: tuple[str, ...], case: Case) -> Fate:
    if "keep-groups" in value and not (case.target.podman and case.target.info.rootless):
        return dropped("only rootless Podman can keep its caller's groups (keep-groups)")
    return Fate(value)


def _stop_timeout(value: int, case: Case) -> Fate:
    if value == UNLIMITED and case.target.podman:
        return Fate(LONGEST_STOP_S, "Podman cannot wait for ever: it waits for a year")
    return Fate(value)


def _stdin_once(value: bool, case: Case) -> Fate:
    return dropped("Podman has no such setting: stdin stays open") if case.target.podman else Fate(value)


def _timezone(value: str, case: Case) -> Fate:
    if case.target.podman:
        return Fate(value)
    if value == "local":
        return dropped("Docker has no such setting, and the host's own time zone is not a name")
    if "TZ" in case.spec.env:
        return dropped("Docker has no such setting; the variable TZ, which the source has too, stays")

    def tz(spec: WorkloadSpec) -> WorkloadSpec:
        return replace(spec, env={**spec.env, "TZ": value})

    return Fate(
        "", "Docker has no such setting: programs read TZ where the image has zone data", text=f"TZ={value}", edit=tz
    )


def _http_proxy(value: bool, case: Case) -> Fate:
    if case.target.podman:
        return Fate(value)
    if value:
        return dropped("Docker does not pass its host's proxy variables")
    return Fate(None, "Docker never passes its host's proxy variables", text="no")


def _systemd(value: str, case: Case) -> Fate:
    if case.target.podman:
        return Fate(value)
    if value == "false":
        return Fate("", "Docker has no mode for systemd", text="false")
    return dropped("Docker has no mode for systemd: an image that starts systemd may not run there")


ROWS = (
    Row("name", "Name", "name", PLAIN_TEXT, _name, "the same, or the name that was asked for"),
    Row(
        "image", "Config.Image", "image", PLAIN_TEXT, _image, "the full name; the image's id where it has none",
        key=None,
    ),
    Row(
        "image_id", "Image", "(observed)", PLAIN_TEXT, said="found again by its configuration and layers", key=None,
    ),
    Row("command", "Config.Cmd", "command", text(argv)),
    Row("entrypoint", "Config.Entrypoint", "entrypoint", text(argv)),
    Row(
        "env", "Config.Env", "env", shown, parts=PAIRS, said="what the image says is left out; secrets are not shown",
        unwanted=_visible,
    ),
    Row(
        "labels", "Config.Labels", "labels", shown, parts=PAIRS,
        said="what the image says is left out; Tranship's own marks of an earlier move are dropped",
        unwanted=_old_mark,
    ),
    Row("user", "Config.User", "user", PLAIN_TEXT),
    Row("workdir", "Config.WorkingDir", "work_dir", PLAIN_TEXT),
    Row(
        "hostname", "Config.Hostname", "hostname", PLAIN_TEXT, _hostname,
        "dropped on Podman where the UTS namespace is not the container's own",
    ),
    Row("tty", "Config.Tty", "terminal", text(yes)),
    Row("stdin_open", "Config.OpenStdin", "stdin", text(yes)),
    Row("restart", "HostConfig.RestartPolicy", "restart_policy, restart_tries", text(str), subs={
        "name": ("Name", "restart_policy", ""), "max_retries": ("MaximumRetryCount", "restart_tries", ""),
    }),
    Row(
        "process.groups", "HostConfig.GroupAdd", "groups", text(words), _groups,
        "keep-groups exists on rootless Podman only",
    ),
    Row(
        "process.init", "HostConfig.Init", "init", text(yes), _init,
        "dropped on Podman where the PID namespace is not the container's own",
    ),
    Row("process.stop_signal", "Config.StopSignal", "stop_signal", PLAIN_TEXT),
    Row(
        "process.stop_timeout_s", "Config.StopTimeout", "stop_timeout", text(seconds), _stop_timeout,
        "for ever (-1) becomes a year on Podman",
    ),
    Row(
        "process.domainname", "Config.Domainname", "-", PLAIN_TEXT, _domainname,
        "on Podman: the host name in full, or a search domain",
    ),
    Row("process.stdin_once", "Config.StdinOnce", "-", text(yes), _stdin_once, "dropped on Podman"),
    Row("process.unset_env", "Config.Env (without =)", "unsetenv", text(words)),
    Row("process.http_proxy", "-", "httpproxy", text(yes), _http_proxy, "Docker never passes them"),
    Row("process.systemd", "-", "systemd", PLAIN_TEXT, _systemd, "dropped on Docker"),
    Row(
        "process.auto_remove", "HostConfig.AutoRemove", "remove", text(yes),
        said="a source that runs and would vanish when it is stopped blocks the move",
    ),
    Row("process.timezone", "-", "timezone", PLAIN_TEXT, _timezone, "on Docker: the variable TZ"),
    Row(
        "process.umask", "-", "umask", PLAIN_TEXT, podman_only("files are made with 0022"), "dropped on Docker",
    ),
    Row("process.annotations", "HostConfig.Annotations", "annotations", shown, parts=PAIRS, unwanted=_podmans_own,
        said="Podman's own (io.podman.…) are dropped on Docker",
    ),
)  # fmt: skip
