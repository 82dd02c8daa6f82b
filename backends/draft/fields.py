"""The fields of a draft: one table for the form, the command line and the preset files. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be said of a new container.

    id: in preset files, and of the form. flag: on the command line, "" where it is no option there. many: may be said
    several times. form: an example, for hints. section: the heading that it stands under in the form.
    """

    id: str
    title: str
    flag: str
    form: str
    section: str
    many: bool = False


FIELDS: tuple[Field, ...] = (
    Field("image", "Image", "--image", "docker.io/pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime", "What"),
    Field("name", "Name", "--name", "letters, digits, _ . -", "What"),
    Field("command", "Command", "", "python train.py --epochs 3; empty = the image's", "What"),
    Field("gpus", "GPUs", "--gpus", "all, none, 2, device=0, 0,1", "GPUs and memory"),
    Field("shm_size", "Shared memory", "--shm-size", "8g", "GPUs and memory"),
    Field("ipc", "IPC", "--ipc", "private, host, shareable, container:NAME", "GPUs and memory"),
    Field("ulimits", "Limit", "--ulimit", "memlock=-1  nofile=1024:65536", "GPUs and memory", many=True),
    Field("memory", "Memory", "--memory", "16g; empty = no limit", "GPUs and memory"),
    Field("cpus", "CPUs", "--cpus", "4 or 1.5; empty = no limit", "GPUs and memory"),
    Field("pids", "Processes", "--pids-limit", "a number, -1 = no limit", "GPUs and memory"),
    Field("ports", "Port", "--publish", "HOST:CONTAINER  127.0.0.1:8888:8888", "Reach", many=True),
    Field("network", "Network", "--network", "bridge, host, none, or a network's name", "Reach"),
    Field("mounts", "Mount", "--volume", "/host/folder:/inside  volume:/inside:ro", "Files", many=True),
    Field("env", "Variable", "--env", "NAME=value; NAME alone takes yours", "Settings", many=True),
    Field("env_files", "Variables' file", "--env-file", "a file of NAME=value lines", "Settings", many=True),
    Field("user", "User", "--user", "1000:1000; empty = the image's", "Settings"),
    Field("workdir", "Folder inside", "--workdir", "/workspace; empty = the image's", "Settings"),
    Field("restart", "Restart", "--restart", "no, on-failure:3, always, unless-stopped", "Settings"),
    Field("health", "Health check", "--health-cmd", "curl -f http://localhost:8000/health; none", "Settings"),
    Field("health_start", "Health begins", "--health-start-period", "2m: failures count only after it", "Settings"),
)
BY_ID = {field.id: field for field in FIELDS}

__all__ = ["BY_ID", "FIELDS", "Field"]
