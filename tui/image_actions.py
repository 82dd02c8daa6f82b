"""Actions of the images' screen and of the screen of one image. Data only."""

from __future__ import annotations

from tui.action import Action, Scope

IMAGE_ACTIONS: tuple[Action, ...] = (
    Action("images.open", "The image in full: layers and files", ("enter",), Scope.IMAGES, footer=0, short="open"),
    Action("images.copy", "Copy elsewhere (asks first)", ("c",), Scope.IMAGES, changes=True, footer=1, short="copy"),
    *(
        Action(id, title, (key,), Scope.IMAGES, destructive=True, changes=True, footer=place, short=short)
        for id, title, key, place, short in (
            ("images.remove", "Remove (asks first)", "d", 2, "remove"),
            ("images.prune", "Remove unused ones (asks first)", "P", 3, "prune"),
        )
    ),
    Action("images.tag", "Give one more name", ("t",), Scope.IMAGES, changes=True, footer=4, short="tag"),
    Action("images.untag", "Take a name away", ("T",), Scope.IMAGES, changes=True, footer=9, short="untag"),
    Action("images.filter", "Filter", ("slash",), Scope.IMAGES, footer=5, short="filter"),
    Action("images.sort", "Sort by the next column", ("o",), Scope.IMAGES, footer=6, short="sort"),
    Action("images.reverse", "Reverse the sort", ("O",), Scope.IMAGES),
    Action("images.part", "Images, or the layers of one", ("tab",), Scope.IMAGES, footer=7, short="layers"),
    Action("images.cancel", "Call the copy of the image off", ("x",), Scope.IMAGES, changes=True),
    Action("images.build", "Build an image of a folder", ("b",), Scope.IMAGES, changes=True, footer=10, short="build"),
    Action("images.write", "Write to a file", ("W",), Scope.IMAGES),
    Action("images.read", "Load images from a file", ("R",), Scope.IMAGES, changes=True),
    Action("images.compare", "Compare with another image", ("equals_sign",), Scope.IMAGES, footer=11, short="compare"),
    Action("image.part", "Steps, or files", ("tab",), Scope.IMAGE, footer=1, short="part"),
    Action("image.open", "Files of the step; open or close a folder", ("enter",), Scope.IMAGE, footer=2, short="open"),
    Action("image.whole", "Of the layer only, or of the whole image", ("a",), Scope.IMAGE, footer=3, short="layer/all"),
    Action("image.changes", "Only what the layer changed, or all", ("c",), Scope.IMAGE, footer=6, short="changes"),
    Action("image.waste", "What is wasted, or files", ("w",), Scope.IMAGE, footer=4, short="waste"),
    Action("image.sort", "By size, or by name", ("o",), Scope.IMAGE, footer=7, short="sort"),
    Action("image.filter", "Filter by path", ("slash",), Scope.IMAGE, footer=5, short="filter"),
)
