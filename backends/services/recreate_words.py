"""What is said before a container is made again. Pure."""

from __future__ import annotations

from backends.services.recreate import Before

_MOST_NAMED = 6


def before_words(before: Before) -> list[str]:
    """Sentences: what becomes of the one before, what the new one gets of it and what it does not."""
    name, kept = before.container.name, before.kept_name
    stopped = "is stopped, and " if before.container.state.alive else ""
    words = [f"{name} {stopped}stays as {kept}, without a restart policy, until you remove it."]
    if before.changed_files is None:
        words.append("Whether files outside its volumes were changed is not told; those stay with it.")
    elif before.changed_files:
        many = "1 file that was" if before.changed_files == 1 else f"{before.changed_files} files that were"
        words.append(f"{many} changed outside its volumes stays with it: the new one begins from the image.")
    if before.volumes:
        named = ", ".join(volume[:12] for volume in before.volumes[:_MOST_NAMED])
        words.append(f"Its volumes without a name are the new one's too: {named}.")
    if before.image_moved:
        words.append(f"{before.spec.image} is another image by now: the new one runs that.")
    for lost in before.spec.unmapped[:_MOST_NAMED]:
        words.append(f"Not carried: {lost.path} ({lost.reason}).")
    return words


__all__ = ["before_words"]
