"""Whether manifests are valid by the Kubernetes schemas, where the library that has them is installed.

kubernetes-validate (Apache-2.0) carries the schemas of each Kubernetes version, 108 MB: a tool for the developer, and
for whoever wants it. Reads its packaged files; asks no cluster.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backends.export.exported import Exported
from backends.model.plan import Finding, Severity

INSTALL = "pip install kubernetes-validate"


def check_manifests(text: str) -> tuple[Finding, ...]:
    """What is wrong with the documents of a YAML text; a single note where nothing is, or where nobody can look.

    Every document is strictly compared: a key that the schema does not have is wrong.
    """
    import yaml

    try:
        import kubernetes_validate
        from kubernetes_validate.utils import latest_version
    except ImportError:
        title = "the manifests were not compared with the Kubernetes schemas"
        return (Finding(Severity.NOTE, title, "kubernetes-validate is not installed", f"{INSTALL}, and export again."),)
    version = latest_version()
    found = []
    for document in yaml.safe_load_all(text):
        found += _wrong(kubernetes_validate, document, version)
    if found:
        return tuple(found)
    return (Finding(Severity.NOTE, f"the manifests are valid by the schemas of Kubernetes {version}"),)


def validated(made: Exported) -> Exported:
    """The export with what its manifests' schemas say, before all else that is to be known."""
    texts = [file.text for file in made.files if file.name.endswith(".yaml")]
    found = dict.fromkeys(one for text in texts for one in check_manifests(text))
    return replace(made, findings=(*found, *made.findings))


def _wrong(library: Any, document: Any, version: str) -> list[Finding]:
    name = f"{document.get('kind', '?')} {document.get('metadata', {}).get('name', '?')}"
    try:
        library.validate(document, version, strict=True)
    except library.ValidationError as error:
        where = ".".join(map(str, error.path))
        title = f"{name} is not valid by the schemas of Kubernetes {version}"
        return [Finding(Severity.WARN, title, f"{where}: {error.message}")]
    return []


__all__ = ["INSTALL", "check_manifests", "validated"]
