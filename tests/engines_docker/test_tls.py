"""Docker over TCP with TLS: both the HTTP client and docker-py verify, identify themselves, and say what is wrong."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.engines.docker import DockerEngine
from backends.model.errors import Denied, NotFound, Unreachable
from backends.wire.endpoint import Endpoint, TlsFiles
from tests.door import open_door
from tests.engines_docker.conftest import ENGINE
from tests.real import RealEngines

pytestmark = pytest.mark.engines


def openssl(folder: Path, *argv: str) -> None:
    subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True, timeout=60)


def authority(folder: Path, name: str) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}-key.pem"]
    more = ["-addext", "keyUsage=critical,keyCertSign", "-days", "2", "-subj", f"/CN={name}", "-out", f"{name}.pem"]
    openssl(folder, "req", "-x509", *key, *more)


def certificate(folder: Path, name: str) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}-key.pem"]
    openssl(folder, "req", *key, "-subj", f"/CN={name}", "-out", f"{name}.csr")
    (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\nkeyUsage=critical,digitalSignature\n")
    signer = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext"]
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signer, "-out", f"{name}.pem")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority(folder, "ca")
    authority(folder, "other-ca")
    certificate(folder, "server")
    certificate(folder, "client")
    return folder


@pytest.fixture
async def address(real_engines: RealEngines, certificates: Path) -> AsyncIterator[str]:
    """ "host:port" of a TLS end in front of the real engine that wants a client certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificates / "server.pem", certificates / "server-key.pem")
    async with open_door(real_engines.docker, context=context) as door:
        yield door.address


def engine(address: str, certificates: Path, **changes: str) -> DockerEngine:
    files = {"ca": "ca.pem", "cert": "client.pem", "key": "client-key.pem", **changes}
    paths = {key: str(certificates / name) if name else "" for key, name in files.items()}
    tls = TlsFiles(ca=paths["ca"], cert=paths["cert"], key=paths["key"])
    return DockerEngine(ENGINE, Endpoint.parse(f"tcp://{address}", tls))


async def test_both_clients_get_through(address: str, certificates: Path) -> None:
    docker = engine(address, certificates)
    info = await docker.connect()
    assert info.version
    assert not info.local
    with pytest.raises(NotFound, match="no container test-none"):
        await docker.start("test-none")
    await docker.close()


async def test_a_wrong_authority_is_denied(address: str, certificates: Path) -> None:
    docker = engine(address, certificates, ca="other-ca.pem")
    with pytest.raises(Denied, match="TLS"):
        await docker.connect()
    await docker.close()


async def test_no_client_certificate(address: str, certificates: Path) -> None:
    docker = engine(address, certificates, cert="", key="")
    with pytest.raises((Denied, Unreachable)):
        await docker.connect()
    await docker.close()


async def test_a_missing_file_is_said(address: str, certificates: Path) -> None:
    docker = engine(address, certificates, ca="none.pem")
    with pytest.raises(Denied, match=r"none\.pem"):
        await docker.connect()
    await docker.close()
