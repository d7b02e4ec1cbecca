"""What Graph lists of a Page, asked for page by page. Raises NetworkError."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels_ingest.networks.base import Item
from channels_ingest.networks.parts import graph_objects
from channels_ingest.networks.parts.values import Obj

if TYPE_CHECKING:
    from channels_ingest.networks.parts.graph_client import Graph


class Reading:
    """`after` is the cursor of the page before."""

    def __init__(self, graph: Graph, page: graph_objects.Page) -> None:
        self.graph = graph
        self.page = page

    def edge(self, node: str, edge: str, fields: str, after: str, **asked: str) -> Obj:
        return self.graph.edge(node, edge, after=after, fields=fields, **asked)

    def comments_under(self, item_id: str, after: str) -> Obj:
        """Comments at any depth under a post, the newest first."""
        fields = graph_objects.COMMENT_FIELDS
        return self.edge(item_id, "comments", fields, after, filter="stream", order="reverse_chronological")

    def conversations(self, edge: str, after: str) -> Obj:
        return self.edge(self.page.id, edge, "id,updated_time,participants", after, platform="messenger")

    def message(self, row: Obj, conversation: Obj) -> Item:
        partner = graph_objects.partner_in(conversation, self.page)
        return graph_objects.message_from(row, partner, self.page)
