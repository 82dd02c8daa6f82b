"""The services that are known: how each is recognised, on which port, at which path. Data only, with sources."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A service. port: in the container, by default. image, command: what is searched in them, any case.

    says: what is searched in its log; a group "port" is the port it listens on, "https" says that it does so by TLS.
    path: below the address. token: what it prints of itself that opens it (a query parameter), "" = none.
    http: whether a browser can open it. alone: the port alone tells it, where nothing else does.
    """

    title: str
    port: int
    image: str = ""
    command: str = ""
    says: str = ""
    path: str = "/"
    token: str = ""
    http: bool = True
    alone: bool = False


_AT = r"(?P<https>https)?(?:http)?://[\w.\[\]:-]{0,80}?:(?P<port>\d{1,5})"

RULES: tuple[Rule, ...] = (
    # jupyter_server, serverapp.py: "http://HOST:8888/lab?token=…"; notebook < 7: "/?token=…", "/tree?token=…".
    Rule(
        "Jupyter", 8888, r"jupyter|notebook", r"jupyter|start-notebook", _AT + r"/(?:lab|tree)?\?token=", "/", "token"
    ),
    # tensorboard, program.py: "TensorBoard 2.18.0 at http://HOST:6006/ (Press CTRL+C to quit)".
    Rule("TensorBoard", 6006, r"tensorboard", r"tensorboard", r"TensorBoard \S+ at " + _AT, alone=True),
    # mlflow server listens on 5000; gunicorn and uvicorn say "Listening at"/"running on".
    Rule("MLflow", 5000, r"mlflow", r"mlflow (?:server|ui)"),
    # vllm/entrypoints/launcher.py and openai/api_server.py: "Starting vLLM API server 0 on http://HOST:8000".
    Rule("vLLM", 8000, r"vllm", r"vllm(?: serve|\.entrypoints)", r"vLLM API server.* on " + _AT, "/v1/models"),
    # triton-inference-server: "Started HTTPService at 0.0.0.0:8000", "Started GRPCInferenceService at …:8001",
    # "Started Metrics Service at …:8002".
    Rule("Triton HTTP", 8000, r"tritonserver", r"tritonserver", r"Started HTTPService at [\w.]+:(?P<port>\d+)", "/v2"),
    Rule("Triton gRPC", 8001, r"tritonserver", r"tritonserver", http=False),
    Rule("Triton metrics", 8002, r"tritonserver", r"tritonserver", path="/metrics"),
    # tensorflow_model_server: "Exporting HTTP/REST API at:localhost:8501"; gRPC on 8500.
    Rule("TF Serving REST", 8501, r"tensorflow/serving", r"tensorflow_model_server", path="/v1/models"),
    Rule("TF Serving gRPC", 8500, r"tensorflow/serving", r"tensorflow_model_server", http=False),
    # text-generation-inference: its image listens on 80.
    Rule("TGI", 80, r"text-generation-inference", r"text-generation-launcher", path="/info"),
    # ray: "View the dashboard at http://127.0.0.1:8265"; docs "Ports configurations".
    Rule("Ray dashboard", 8265, r"rayproject|/ray\b", r"ray start", r"dashboard at (?:http://)?[\w.]+:(?P<port>\d+)"),
    # streamlit/web/bootstrap.py: "You can now view your Streamlit app in your browser."
    Rule("Streamlit", 8501, r"streamlit", r"streamlit run", r"Local URL: " + _AT),
    # gradio/blocks.py: "Running on local URL:  http://127.0.0.1:7860".
    Rule("Gradio", 7860, r"gradio", r"gradio", r"Running on local URL:\s+" + _AT, alone=True),
    # uvicorn/server.py: "Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)".
    Rule("HTTP", 8000, says=r"Uvicorn running on " + _AT),
    Rule("Ollama", 11434, r"ollama", r"ollama serve", path="/api/tags", alone=True),
    Rule("Open WebUI", 8080, r"open-webui"),
    Rule("ComfyUI", 8188, r"comfyui", r"comfyui", alone=True),
    Rule("Dask dashboard", 8787, r"dask", r"dask[ -]scheduler", path="/status"),
    Rule("code-server", 8080, r"code-server", r"code-server"),
    Rule("MinIO console", 9001, r"minio", r"minio server"),
    Rule("Label Studio", 8080, r"label-studio", r"label-studio"),
    Rule("Prometheus", 9090, r"prom(?:etheus)?/prometheus"),
    Rule("Grafana", 3000, r"grafana"),
)

NO_BROWSER = frozenset(
    {22, 25, 53, 111, 389, 1433, 1521, 2049, 2379, 3306, 4222, 5432, 5433, 5672, 6379, 7687, 9042, 9092, 11211, 27017}
)
"""Container ports of services that speak no HTTP: SSH, mail, DNS, databases, queues (IANA's names)."""

TLS_PORTS = frozenset({443, 6443, 8443, 9443})
"""Container ports that by custom speak HTTPS."""

TOKEN = re.compile(r"[?&](?P<name>token)=(?P<value>[A-Za-z0-9._~-]{8,256})(?![A-Za-z0-9._~%-])")
"""A token in an address: only characters that mean nothing to a shell, a terminal or a URL (RFC 3986, unreserved)."""

WANDB_HOST = "wandb.ai"
WANDB_RUN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]{1,253}(?::\d{1,5})?)"
    r"(?P<path>/[\w.-]{1,128}/[\w.-]{1,128}/runs/[\w.-]{1,128})(?![\w./%-])"
)
"""Source: wandb, "View run NAME at: https://wandb.ai/ENTITY/PROJECT/runs/ID"."""
