"""The configuration in an image's inspect JSON, which both engines and the demo write alike, to the model. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.model.image_config import ImageConfig


def image_config(image: Mapping[str, Any], config: Mapping[str, Any]) -> ImageConfig:
    """image: has Os, Architecture and perhaps Variant; config: the part that containers inherit."""
    platform = [str(image.get(part) or "") for part in ("Os", "Architecture", "Variant")]
    pairs = [str(one).partition("=") for one in config.get("Env") or ()]
    test = [str(word) for word in (config.get("Healthcheck") or {}).get("Test") or ()]
    return ImageConfig(
        "/".join(part for part in platform if part),
        {name: value for name, _, value in pairs},
        words(config.get("Entrypoint")),
        words(config.get("Cmd")),
        str(config.get("WorkingDir") or ""),
        str(config.get("User") or ""),
        tuple(map(str, config.get("ExposedPorts") or ())),
        tuple(map(str, config.get("Volumes") or ())),
        {str(name): str(value) for name, value in (config.get("Labels") or {}).items()},
        str(config.get("StopSignal") or ""),
        " ".join(test),
    )


def words(value: object) -> tuple[str, ...]:
    """An entrypoint or a command: a list, or of old images one string; () where none is said."""
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list) else ()


__all__ = ["image_config", "words"]
