"""Docker's JSON to the model: images, volumes, networks. Pure; makes no calls. Source: as docker_translate."""

from __future__ import annotations

import json
import re

from backends.engines.docker_errors import explain
from backends.engines.docker_translate import Json, bare, texts_of
from backends.engines.health_check import image_health
from backends.engines.row_by_row import text_of
from backends.model.errors import Protocol
from backends.model.ids import EngineId, ImageKey
from backends.model.image import Image, ImageFacts
from backends.model.network import Network, NetworkSpec, Subnet
from backends.model.reference import full_reference
from backends.model.workload import Volume
from backends.wire.failures import NO_JSON
from backends.wire.times import from_unix, parse_time

ANONYMOUS_NAME = re.compile(r"[0-9a-f]{64}")
ANONYMOUS_LABEL = "com.docker.volume.anonymous"  # moby volume/service, AnonymousLabel
_OWN_NETWORKS = frozenset({"bridge", "host", "none", "docker_gwbridge"})
IPV4_OPTION, _IPV6_OPTION = (f"com.docker.network.enable_ipv{version}" for version in (4, 6))
"""Docker 28 and later report their flags as options too."""
_UNTAGGED = "<none>"
_LOADED = re.compile(r"Loaded image( ID)?: (\S+)")  # moby image/tarexport/load.go


def _tags(item: Json) -> tuple[str, ...]:
    """RepoTags in full: Docker leaves "docker.io/" and "library/" out."""
    return tuple(_full(tag) for tag in item.get("RepoTags") or () if _UNTAGGED not in tag)


def _full(name: str) -> str:
    try:
        return full_reference(name)
    except ValueError:
        return name  # an image id, or a name from before today's rules


def image_from_list(engine: EngineId, item: Json) -> Image:
    """One entry of GET /images/json."""
    return Image(
        key=ImageKey(engine, bare(item["Id"])),
        tags=_tags(item),
        size_bytes=int(item.get("Size") or 0),
        created_at=from_unix(item["Created"]) if item.get("Created") else None,
        digests=tuple(digest for digest in item.get("RepoDigests") or () if digest.find(_UNTAGGED) < 0),
    )


def image_facts(engine: EngineId, item: Json, config_digest: str) -> ImageFacts:
    """GET /images/{name}/json. config_digest: the id itself, but in containerd's store; "" = not known."""
    return ImageFacts(
        key=ImageKey(engine, bare(item["Id"])),
        tags=_tags(item),
        config_digest=config_digest,
        diff_ids=tuple((item.get("RootFS") or {}).get("Layers") or ()),
        architecture=item.get("Architecture") or "",
        os=item.get("Os") or "",
        size_bytes=item.get("Size") or 0,
        health=image_health(item.get("Config")),
    )


def loaded_images(engine: EngineId, answer: bytes) -> tuple[str, ...]:
    """What POST /images/load says it loaded: references, else ids. Raises Protocol or what its words mean."""
    names: list[str] = []
    for line in answer.splitlines():
        try:
            message = dict(json.loads(line)) if line.strip() else {}
        except (*NO_JSON, TypeError) as error:
            shown = line[:200].decode("utf-8", "replace")
            raise Protocol("Docker's answer to the image is garbled", detail=shown, engine=engine) from error
        if said := str(message.get("error") or ""):
            raise explain(said, engine) or Protocol("Docker could not load the image", detail=said, engine=engine)
        if match := _LOADED.match(str(message.get("stream") or "")):
            names.append(match[2] if match[1] else _full(match[2]))
    return tuple(names)


def volume(item: Json) -> Volume:
    """GET /volumes/{name}, or one entry of GET /volumes."""
    labels = texts_of(item.get("Labels"))
    name = item["Name"]
    return Volume(
        name=name,
        driver=text_of(item, "Driver") or "local",
        labels=labels,
        driver_options=texts_of(item.get("Options")),
        anonymous=ANONYMOUS_LABEL in labels or ANONYMOUS_NAME.fullmatch(name) is not None,
        mountpoint=str(item.get("Mountpoint") or ""),
        created_at=parse_time(item["CreatedAt"]) if item.get("CreatedAt") else None,
    )


def network(item: Json) -> Network:
    """GET /networks/{name}, or one entry of GET /networks."""
    name, addresses = str(item["Name"]), (item.get("IPAM") or {}).get("Config") or ()
    own = name in _OWN_NETWORKS or bool(item.get("Ingress"))
    options = {str(key): str(value) for key, value in (item.get("Options") or {}).items() if key != _IPV6_OPTION}
    if item.get("EnableIPv4", True) and options.get(IPV4_OPTION) != "false":
        options.pop(IPV4_OPTION, None)
    else:
        options[IPV4_OPTION] = "false"
    spec = NetworkSpec(
        name=name,
        driver=str(item.get("Driver") or "bridge"),
        subnets=tuple(
            Subnet(
                str(one["Subnet"]),
                str(one.get("Gateway") or "").partition("/")[0],  # of IPv6 with the prefix, up to Docker 27
                str(one.get("IPRange") or ""),
            )
            for one in addresses
            if one.get("Subnet")
        ),
        internal=bool(item.get("Internal")),
        ipv6=bool(item.get("EnableIPv6")),
        dns=not own,
        labels=texts_of(item.get("Labels")),
        options=options,
    )
    return Network(str(item["Id"]), spec, own, parse_time(item["Created"]) if item.get("Created") else None)


__all__ = [
    "ANONYMOUS_NAME",
    "IPV4_OPTION",
    "image_facts",
    "image_from_list",
    "loaded_images",
    "network",
    "volume",
]
