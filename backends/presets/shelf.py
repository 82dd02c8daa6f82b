"""All presets: those that come with Tranship, and the user's own over them. Reads files; asks no engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import NotFound
from backends.presets.preset import Preset
from backends.presets.read import PresetError, read_preset

PACKAGED = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Shelf:
    """presets: by name, sorted. errors: of files that cannot be used; the others can."""

    presets: tuple[Preset, ...]
    errors: tuple[PresetError, ...] = ()

    def get(self, name: str) -> Preset:
        """The preset of this name. Raises its file's PresetError, or NotFound with the nearest name."""
        for preset in self.presets:
            if preset.name == name:
                return preset
        for error in self.errors:
            if Path(error.title.partition(":")[0]).stem == name:
                raise error
        import difflib

        names = [preset.name for preset in self.presets]
        near = next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.6)), "")
        hint = f"did you mean “{near}”?" if near else f"there are: {', '.join(names)}"
        raise NotFound(f"no preset is called “{name}”", hint=hint)


def user_folder() -> Path:
    """Where a person's own presets are: NAME.toml under platformdirs' user_config_dir("tranship")/presets."""
    import platformdirs

    return Path(platformdirs.user_config_dir("tranship")) / "presets"


def read_shelf(own: Path | None = None) -> Shelf:
    """All presets. own: the user's folder, None = where it usually is; it need not exist. A bad file is an error
    of the shelf, and takes the place of a packaged preset of its name as a good one would.
    """
    presets: dict[str, Preset] = {}
    errors: list[PresetError] = []
    for folder in (PACKAGED, user_folder() if own is None else own):
        try:
            paths = _files(folder)
        except OSError as error:
            errors.append(PresetError(f"{folder}: cannot be read", detail=str(error)))
            continue
        for path in paths:
            try:
                presets[path.stem] = read_preset(path.stem, path.read_text(encoding="utf-8"), str(path))
            except PresetError as error:
                errors.append(error)
                presets.pop(path.stem, None)
            except (OSError, UnicodeDecodeError) as error:
                errors.append(PresetError(f"{path}: cannot be read", detail=str(error)))
                presets.pop(path.stem, None)
    return Shelf(tuple(presets[name] for name in sorted(presets)), tuple(errors))


def _files(folder: Path) -> list[Path]:
    """The TOML files of a folder, by name; none where there is no such folder."""
    return sorted(path for path in folder.iterdir() if path.suffix == ".toml") if folder.is_dir() else []


__all__ = ["PACKAGED", "Shelf", "read_shelf", "user_folder"]
