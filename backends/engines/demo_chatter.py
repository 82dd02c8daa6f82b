"""What the demo's workloads write into their logs. Pure: line n of a topic is the same in each run of one seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import TypeAlias

from backends.model.container import LogStream

Talk: TypeAlias = Callable[[int, Random], tuple[LogStream, str]]
_OUT, _ERR = LogStream.STDOUT, LogStream.STDERR


def _training(number: int, dice: Random) -> tuple[LogStream, str]:
    step = number * 10
    loss = 1.55 + 2.9 * math.exp(-step / 9000) + dice.uniform(-0.03, 0.03)
    if number % 50 == 0:
        return _OUT, f"saved checkpoint /checkpoints/step-{step:07d}.safetensors (13.5 GB)"
    if number % 120 == 0:
        return _ERR, "wandb: View run llama3-8b at: https://wandb.ai/demo-lab/llama3/runs/8f3kq2xz"
    if number % 97 == 0:
        return _ERR, f"warning: gradient norm {dice.uniform(6, 11):.2f} clipped to 1.00"
    rate = dice.uniform(11_300, 12_100)
    return _OUT, f"step {step:>7} | loss {loss:.4f} | lr {3e-4 * math.exp(-step / 60_000):.2e} | {rate:,.0f} tokens/s"


def _serving(number: int, dice: Random) -> tuple[LogStream, str]:
    running, waiting = dice.randint(2, 24), max(0, dice.randint(-6, 5))
    if number % 4:
        return _OUT, f'10.0.4.{dice.randint(2, 40)}:{dice.randint(30000, 60000)} - "POST /v1/chat/completions" 200 OK'
    speed = running * dice.uniform(38, 52)
    return _OUT, (
        f"INFO engine: generation throughput {speed:.1f} tokens/s, running {running} reqs, waiting {waiting} reqs, "
        f"KV cache usage {running * 2.7:.1f}%"
    )


def _web(number: int, dice: Random) -> tuple[LogStream, str]:
    path = dice.choice(["/api/2.0/mlflow/runs/search", "/api/2.0/mlflow/runs/log-metric", "/static/app.js", "/"])
    if number % 29 == 0:
        return _ERR, f'10.0.4.{dice.randint(2, 40)} "GET {path}" 404 Not Found'
    return _OUT, f'10.0.4.{dice.randint(2, 40)} "GET {path}" 200 {dice.randint(180, 90_000)}B {dice.randint(1, 80)}ms'


def _notebook(number: int, dice: Random) -> tuple[LogStream, str]:
    if number % 40 == 0:
        return _ERR, "[I ServerApp] http://127.0.0.1:8888/lab?token=dem0dem0dem0dem0dem0dem0dem0dem0"
    book = dice.choice(["explore.ipynb", "tokenizer.ipynb", "evals/plots.ipynb"])
    word = "Saving file at" if number % 3 else "Kernel restarted for"
    return _ERR, f"[I ServerApp] {word} /{book}"


def _database(number: int, dice: Random) -> tuple[LogStream, str]:
    if number % 2:
        return _ERR, "LOG:  checkpoint starting: time"
    return _ERR, f"LOG:  checkpoint complete: wrote {dice.randint(20, 900)} buffers; sync={dice.random() / 50:.3f} s"


def _trouble(number: int, dice: Random) -> tuple[LogStream, str]:
    if number % 3 == 0:
        return _ERR, "ERROR  health: model shard 3 of 4 not loaded: CUDA error: out of memory"
    return _OUT, f"retrying shard load in {dice.randint(5, 40)} s"


def _quiet(number: int, dice: Random) -> tuple[LogStream, str]:
    return _OUT, f"tick {number} ({dice.randint(1, 9)} jobs waiting)"


CHATTER: Mapping[str, Talk] = MappingProxyType(
    {
        "training": _training,
        "serving": _serving,
        "web": _web,
        "notebook": _notebook,
        "database": _database,
        "trouble": _trouble,
        "quiet": _quiet,
    }
)
"""Topic → what line number n says."""
