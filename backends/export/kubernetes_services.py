"""Services of an export: under which names and ports the Pods find each other. Pure; used by `kubernetes`.

Source: Kubernetes API reference, core/v1 Service.
"""

from __future__ import annotations

from collections.abc import Sequence

from backends.export.kubernetes_labels import NAME_LABEL
from backends.export.kubernetes_parts import Body
from backends.export.kubernetes_pod import Unit
from backends.export.names import dns_label
from backends.export.unsaid import Ledger
from backends.model.container import Port

_COMPOSE_SERVICE = "com.docker.compose.service"
_NO_NAMES = frozenset({"host", "none"})


def services(units: Sequence[Unit], ledger: Ledger) -> list[Body]:
    """One for each name that a Pod is known by. A Pod without ports, and alone, needs none."""
    made: dict[str, Body] = {}
    for unit in units:
        _remarks(unit, ledger)
        ports = {(port.container_port, port.protocol) for member in unit.members for port in member.spec.ports}
        known = _known_as(unit) if len(units) > 1 else []
        if ports:
            known = [unit.name, *known]
        for name in dict.fromkeys(known):
            fit = dns_label(name)
            if fit != name:
                ledger.differs(unit.name, "", f"who looks for {name} finds it as {fit}", warn=True)
            if fit in made:
                if made[fit]["spec"]["selector"] != {NAME_LABEL: unit.name}:
                    ledger.differs(unit.name, "", f"the name {fit} is another's too, and is not given", warn=True)
                continue
            made[fit] = _service(fit, unit.name, sorted(ports))
    return list(made.values())


def _known_as(unit: Unit) -> list[str]:
    """Container names, service names and aliases on networks that were made by somebody."""
    names = []
    for member in unit.members:
        network = member.spec.network
        if network.networks and network.mode not in _NO_NAMES:
            service = member.spec.labels.get(_COMPOSE_SERVICE, "")
            names += [member.spec.name, *([service] if service else [])]
            names += [alias for end in network.networks for alias in end.aliases]
    return names


def _service(name: str, unit: str, ports: Sequence[tuple[int, str]]) -> Body:
    """Headless where there are no ports: the name leads to the Pod itself."""
    spec: Body = {"selector": {NAME_LABEL: unit}}
    if ports:
        spec["ports"] = [
            {"name": f"{protocol}-{number}", "port": number, "targetPort": number, "protocol": protocol.upper()}
            for number, protocol in ports
        ]
    else:
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _remarks(unit: Unit, ledger: Ledger) -> None:
    for member in unit.members:
        spec = member.spec
        published = [port for port in spec.ports if port.host_port is not None]
        if published:
            shown = ", ".join(_shown(port) for port in published)
            remedy = f"Try `kubectl port-forward service/{unit.name} {_forward(published[0])}`, or add an Ingress."
            ledger.differs(spec.name, "ports", f"the Service is for the cluster; here it was {shown}", remedy)
        if spec.network.networks:
            joined = ", ".join(end.network for end in spec.network.networks)
            ledger.differs(spec.name, "network.networks", f"its networks ({joined}) become the cluster's one")
        for end in spec.network.networks:
            if end.ipv4 or end.ipv6 or end.mac:
                ledger.cannot(spec.name, "network.networks", f"its address on {end.network}")


def _shown(port: Port) -> str:
    return f"{port.host_ip or '*'}:{port.host_port or 'any'} to {port.container_port}/{port.protocol}"


def _forward(port: Port) -> str:
    return f"{port.host_port or port.container_port}:{port.container_port}"


__all__ = ["services"]
