"""The adapter behind the official client, against an API server of our own: what goes well, and what does not."""

from __future__ import annotations

import asyncio
import inspect
import ssl
import sys
from pathlib import Path

import pytest

from backends.engine import Engine
from backends.engines.kubernetes import KubernetesEngine, kubernetes_engine
from backends.engines.kubernetes_lacking import METHODS
from backends.model.capabilities import Capability
from backends.model.container import ContainerState
from backends.model.errors import BackendError, Conflict, Denied, NotFound, Protocol, Unreachable, Unsupported
from backends.model.ids import EngineId
from tests.cluster.server import FakeCluster
from tests.cluster.store import PODS, Json, Name
from tests.contract.lab import eventually
from tests.engines_docker.test_tls import authority, certificate
from tests.unit.kube.conftest import LAB
from tests.unit.kube.pods import container

_SLEEPS = ["sleep", "60"]


def manifest(name: str, *containers: Json, kind: str = "Pod") -> Json:
    spec = {"containers": list(containers) or [container(command=_SLEEPS)], "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


async def refused(engine: Engine) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await engine.connect()
    assert caught.value.engine == LAB
    await engine.close()
    return caught.value


async def test_pods_are_seen_removed_and_gone(cluster: FakeCluster, lab: Engine) -> None:
    info = await lab.connect()
    assert (info.version, info.local, info.capabilities.can(Capability.STATS_API)) == ("1.34.1", False, True)
    await lab.apply_manifests([manifest("train", container(command=_SLEEPS), container("tb", command=_SLEEPS))])

    async def both_run() -> bool:
        return [one.state for one in await lab.list_containers()] == [ContainerState.RUNNING] * 2

    await eventually(both_run)
    assert [one.name for one in await lab.list_containers()] == ["train/app", "train/tb"]
    assert (await lab.inspect_container("train")).name == "train/app"
    assert (await lab.inspect_raw("train/tb"))["kind"] == "Pod"
    with pytest.raises(Conflict, match="train/app is running"):
        await lab.remove("train/app")
    await lab.remove("default/train/app", force=True)

    async def gone() -> bool:
        return await lab.list_containers() == []

    await eventually(gone)
    for word in ("train", "default/train/app", "nobody", "a/b/c/d"):
        with pytest.raises(NotFound):
            await lab.inspect_container(word)
        with pytest.raises(NotFound):
            await lab.remove(word, force=True)
        with pytest.raises(NotFound):
            async with lab.logs(word):
                pass
    assert all("Bearer" not in line and cluster.token not in line for line in cluster.asked)


async def test_the_namespace_is_the_contexts_the_asked_one_or_all(cluster: FakeCluster, tmp_path: Path) -> None:
    for namespace in ("default", "train"):
        name = Name(PODS, namespace, f"pod-{namespace}")
        await cluster.store.put(name, manifest(name.name))
    config = cluster.kubeconfig(tmp_path / "config", namespace="train")
    seen = {"": ["pod-train"], "default": ["pod-default"], "*": ["default/pod-default", "train/pod-train"]}
    for asked, names in seen.items():
        engine = kubernetes_engine(LAB, "lab", asked, kubeconfig=config)
        assert [one.name for one in await engine.list_containers()] == names
        await engine.close()


async def _called(engine: Engine, name: str) -> None:
    every = inspect.signature(getattr(Engine, name)).parameters.values()
    needed = [one for one in every if one.default is one.empty][1:]
    named = {one.name: 0 for one in needed if one.kind is one.KEYWORD_ONLY}
    asked = getattr(engine, name)(*(object() for one in needed if one.kind is not one.KEYWORD_ONLY), **named)
    if inspect.isawaitable(asked):
        await asked


async def test_what_a_cluster_does_not_do_is_refused_with_what_to_do_instead(lab: Engine) -> None:
    await lab.connect()
    members = {name for name in vars(Engine) if not name.startswith("_")}
    assert members - set(METHODS) <= set(dir(KubernetesEngine))
    assert not set(METHODS) & set(dir(KubernetesEngine))
    for name in METHODS:
        with pytest.raises(Unsupported) as caught:
            await _called(lab, name)
        assert caught.value.hint
        assert caught.value.engine == LAB
    with pytest.raises(AttributeError):
        lab.no_such_member  # type: ignore[attr-defined]  # noqa: B018 - that there is none is the point


async def test_a_kubeconfig_that_will_not_do_says_what_is_there(cluster: FakeCluster, tmp_path: Path) -> None:
    config = cluster.kubeconfig(tmp_path / "config")
    error = await refused(kubernetes_engine(LAB, "prod", kubeconfig=config))
    assert (type(error), error.hint) == (NotFound, "There are: lab.")
    error = await refused(kubernetes_engine(LAB, "lab", kubeconfig=str(tmp_path / "none")))
    assert isinstance(error, NotFound)
    assert "log in to a cluster" in error.hint
    lost = "contexts: [{name: lab, context: {cluster: gone, user: me}}]"
    for at, text in enumerate(("a: [", "[]", "contexts: 3", lost)):
        (tmp_path / f"bad-{at}").write_text(text)
        error = await refused(kubernetes_engine(LAB, "lab", kubeconfig=str(tmp_path / f"bad-{at}")))
        assert isinstance(error, (Protocol, NotFound))
        assert "bad-" in error.title


async def test_credentials_that_are_refused_and_rights_that_lack(
    cluster: FakeCluster, tmp_path: Path, lab: Engine
) -> None:
    stale = cluster.kubeconfig(tmp_path / "stale", user={"token": "old"})
    error = await refused(kubernetes_engine(LAB, "lab", kubeconfig=stale))
    assert (type(error), error.title) == (Denied, "The cluster does not accept your credentials")
    assert "expired" in error.hint
    cluster.forbidden.add("list pods")
    with pytest.raises(Denied, match='Pods is forbidden: User "ann" cannot list') as caught:
        await lab.list_containers()
    assert "Role" in caught.value.hint


async def test_a_login_program_is_asked_without_a_terminal(cluster: FakeCluster, tmp_path: Path) -> None:
    program = tmp_path / "login.py"
    program.write_text(
        "import json, os, sys\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "assert info['spec']['interactive'] is False\n"
        "print('talk', file=sys.stderr)\n"
        f"status = {{'token': {cluster.token!r}}}\n"
        "print(json.dumps({'apiVersion': info['apiVersion'], 'kind': 'ExecCredential', 'status': status}))\n"
    )

    def user(*args: str) -> Json:
        exec_ = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": list(args)}
        return {"exec": exec_ | {"interactiveMode": "IfAvailable"}}

    engine = kubernetes_engine(LAB, "lab", kubeconfig=cluster.kubeconfig(tmp_path / "config", user=user(str(program))))
    assert (await engine.connect()).version == "1.34.1"
    await engine.close()
    failing = cluster.kubeconfig(tmp_path / "failing", user=user("-c", "import sys; sys.exit(1)"))
    error = await refused(kubernetes_engine(LAB, "lab", kubeconfig=failing))
    assert isinstance(error, Denied)
    assert "login program" in error.title


async def test_a_client_that_is_not_installed_says_how_to_get_it(
    cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    error = await refused(kubernetes_engine(LAB, "lab", kubeconfig=cluster.kubeconfig(tmp_path / "config")))
    assert isinstance(error, Unsupported)
    assert "tranship[kubernetes]" in error.hint


async def test_nobody_who_listens_is_unreachable(cluster: FakeCluster, lab: Engine) -> None:
    await cluster.kill()
    error = await refused(lab)
    assert isinstance(error, Unreachable)
    assert error.title.startswith("Nothing listens at http://127.0.0.1:")


async def test_certificates_that_prove_nothing_are_said_one_by_one(tmp_path: Path) -> None:
    for name in ("ca", "other-ca"):
        await asyncio.to_thread(authority, tmp_path, name)
    await asyncio.to_thread(certificate, tmp_path, "server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server-key.pem")
    cluster = FakeCluster(tls=context)
    await cluster.start()
    trusted = cluster.kubeconfig(tmp_path / "config", ca=str(tmp_path / "ca.pem"))
    engine = kubernetes_engine(LAB, "lab", kubeconfig=trusted)
    await engine.connect()
    async with engine.subscribe():
        pass  # a stream over TLS is closed amid a read, too
    await engine.close()
    other = cluster.kubeconfig(tmp_path / "other", ca=str(tmp_path / "other-ca.pem"))
    error = await refused(kubernetes_engine(LAB, "lab", kubeconfig=other))
    assert (type(error), "certificate-authority-data" in error.hint) == (Denied, True)
    named = (tmp_path / "config").read_text().replace("127.0.0.1", "localhost")
    (tmp_path / "named").write_text(named)
    error = await refused(kubernetes_engine(LAB, "lab", kubeconfig=str(tmp_path / "named")))
    assert (type(error), "tls-server-name" in error.hint) == (Denied, True)
    await cluster.close()


async def test_a_watch_that_ends_or_is_too_old_goes_on_by_itself(
    cluster: FakeCluster, lab: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.engines.kubernetes_looking._AGAIN_S", 0.01)
    async with lab.subscribe() as events:
        await cluster.store.forget()  # the server says 410 and ends the watch
        await cluster.store.put(Name(PODS, "default", "early"), manifest("early"))

        async def watched_again() -> bool:
            return sum("watch=true" in line for line in cluster.asked) > 1

        async def later() -> None:
            await eventually(watched_again)
            await cluster.store.put(Name(PODS, "default", "late"), manifest("late"))

        telling = asyncio.create_task(later())
        async with asyncio.timeout(10):
            heard = {(await anext(events)).id for _ in range(1)}
            while "default/late/app" not in heard:
                heard.add((await anext(events)).id)
        await telling


async def test_metrics_are_lacking_where_they_are_not_served(tmp_path: Path) -> None:
    cluster = FakeCluster(metrics=False)
    await cluster.start()
    engine = kubernetes_engine(LAB, "lab", kubeconfig=cluster.kubeconfig(tmp_path / "config"))
    info = await engine.connect()
    assert "metrics-server" in info.capabilities.why_not(Capability.STATS_API)
    with pytest.raises(Unsupported):
        async with engine.stats(["default/a/a"]):
            pass
    await engine.close()
    await cluster.close()


def test_an_engine_opens_nothing_before_it_is_asked() -> None:
    engine = kubernetes_engine(EngineId(LAB.kind, "k8s-x"), "x", "vision", kubeconfig="/nowhere")
    assert (engine.endpoint, engine.id.name) == ("kubernetes://x?namespace=vision", "k8s-x")
