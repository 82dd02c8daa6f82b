"""The screens of volumes and of networks. What both do stands in `stores`."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.worker import Worker

from backends.model.stores import NOT_COUNTED, VolumeRow
from tui.messages import NetworksSeen, VolumesSeen
from tui.screens.store_questions import NETWORKS, VOLUMES, Kind
from tui.screens.stores import StoresScreen
from widgets.store_rows import AnyRow


class VolumesScreen(StoresScreen):
    """All volumes; Enter looks into one."""

    KIND: ClassVar[Kind] = VOLUMES
    WORD = VOLUMES.word

    def follow(self) -> Worker[None]:
        """Be told of volumes."""
        return self.tranship.commands.stores.follow_volumes(self.post_message)

    @on(VolumesSeen)
    def _seen(self, message: VolumesSeen) -> None:
        sizes = message.sizes
        rows = [replace(row, size_bytes=sizes.get(row.key, NOT_COUNTED)) for row in message.volumes.rows]
        self.take(rows, message.volumes.errors)

    def open(self, row: AnyRow) -> None:
        """Its files."""
        from tui.screens.files import FilesScreen, VolumeFiles

        if isinstance(row, VolumeRow):
            self.app.push_screen(FilesScreen(VolumeFiles(row.key)))


class NetworksScreen(StoresScreen):
    """All networks."""

    KIND: ClassVar[Kind] = NETWORKS
    WORD = NETWORKS.word

    def follow(self) -> Worker[None]:
        """Be told of networks."""
        return self.tranship.commands.stores.follow_networks(self.post_message)

    @on(NetworksSeen)
    def _seen(self, message: NetworksSeen) -> None:
        self.take(message.networks.rows, message.networks.errors)
