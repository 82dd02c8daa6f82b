"""Reads images out of the folders in which an engine on this machine keeps them; nothing is ever written there.

Knows no engine's API: it is told of a folder, an image's id and its diff-IDs. Whatever is read is proved by its digest.
Everything here blocks: run it in a thread.
"""

from backends.stores.find import find_image, open_image
from backends.stores.rebuild import rebuild, tar_bytes
from backends.stores.stored import StoredImage, StoredLayer, StoreError

__all__ = ["StoreError", "StoredImage", "StoredLayer", "find_image", "open_image", "rebuild", "tar_bytes"]
