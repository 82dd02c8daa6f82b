"""Manifests to the cluster, by server-side apply. Knows no export; asks nobody whether it should.

Source: kubernetes.io/docs/reference/using-api/server-side-apply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from backends.engines.kubernetes_stats import KubernetesStats
from backends.model.errors import Conflict, NotFound, Unsupported
from backends.model.manifest import AppliedObject, Manifest

FIELD_MANAGER = "tranship"
_PATCH = "application/apply-patch+yaml"  # JSON is YAML
_CREATED = 201


class _Target(NamedTuple):
    """Where an object goes. namespace: "" where its kind has none."""

    path: str
    kind: str
    namespace: str
    name: str


class KubernetesApply(KubernetesStats):
    """One context, to which objects are given."""

    async def apply_manifests(
        self, manifests: Sequence[Manifest], *, namespace: str = "", dry_run: bool = False, force: bool = False
    ) -> tuple[AppliedObject, ...]:
        """PATCH each as an apply of the field manager "tranship"; dry_run: the server checks all, and changes nothing.

        namespace: for objects that name none, "" = the context's. force: take fields that others manage. Where one is
        refused, those before it stand. Raises Conflict (others manage fields), or Unsupported, with its name.
        """
        await self._connected()
        plurals: dict[str, dict[str, tuple[str, bool]]] = {}
        targets = [await self._target(one, namespace or self._namespace or "default", plurals) for one in manifests]
        query = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"}
        query |= {"dryRun": "All"} if dry_run else {}
        applied: list[AppliedObject] = []
        for manifest, (path, kind, place, name) in zip(manifests, targets, strict=True):
            try:
                code, _ = await self._sdk.json("PATCH", path, query, body=dict(manifest), content_type=_PATCH)
            except Conflict as error:
                title = f"Others manage fields of {kind.lower()}/{name}"
                hint = "Look who (kubectl get … --show-managed-fields), or take them over by --force-conflicts."
                raise Conflict(title, detail=f"{error.title}; {error.detail}", hint=hint, engine=self._id) from error
            except Unsupported as error:
                title = f"The cluster does not take {kind.lower()}/{name}: {error.title}"
                raise Unsupported(title, detail=error.detail, hint=error.hint, engine=self._id) from error
            applied.append(AppliedObject(kind, name, place, code == _CREATED))
        return tuple(applied)

    async def _target(
        self, manifest: Manifest, namespace: str, plurals: dict[str, dict[str, tuple[str, bool]]]
    ) -> _Target:
        """plurals: by apiVersion, what each kind is called in paths and whether it lies in a namespace."""
        version, kind = str(manifest.get("apiVersion") or ""), str(manifest.get("kind") or "")
        meta = manifest.get("metadata")
        named = meta if isinstance(meta, Mapping) else {}
        name = str(named.get("name") or "")
        if not version or not kind or not name:
            raise Unsupported("A manifest has no apiVersion, kind or name", detail=str(manifest)[:200], engine=self._id)
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if version not in plurals:
            plurals[version] = await self._kinds(root, version)
        if kind not in plurals[version]:
            raise self._unknown(version, kind)
        plural, namespaced = plurals[version][kind]
        place = str(named.get("namespace") or namespace) if namespaced else ""
        where = f"/namespaces/{quote(place, safe='')}" if place else ""
        return _Target(f"{root}{where}/{plural}/{quote(name, safe='')}", kind, place, name)

    async def _kinds(self, root: str, version: str) -> dict[str, tuple[str, bool]]:
        try:
            answer: Any = await self._get(root)
        except NotFound as error:
            raise self._unknown(version, "") from error
        with self._understood():
            resources = [one for one in answer["resources"] if "/" not in one["name"]]  # the others are parts
            return {str(one["kind"]): (str(one["name"]), bool(one["namespaced"])) for one in resources}

    def _unknown(self, version: str, kind: str) -> Unsupported:
        hint = "Look at `kubectl api-resources`; the cluster may be older than the manifest."
        return Unsupported(f"The cluster knows no {f'{kind} of ' if kind else ''}{version}", hint=hint, engine=self._id)


__all__ = ["FIELD_MANAGER", "KubernetesApply"]
