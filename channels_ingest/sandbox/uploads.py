"""Pictures that accounts upload: kept on disk beside the journal, in which each stands with its checksum."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from .acts import Refused
from .ledger import now_ms
from .things import Member, Upload
from .world import World

FIRST_BYTES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


def keep(world: World, owner: Member, content: bytes, *, largest: int) -> Upload:
    """Raises Refused for what is no picture or too large."""
    content_type = next((kind for start, kind in FIRST_BYTES.items() if content.startswith(start)), "")
    if not content_type or len(content) > largest:
        raise Refused("The file is no picture, or too large.")
    upload = Upload(
        owner.network,
        world.snowflakes.take(now_ms()),
        owner.id,
        content_type,
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    world.pictures.mkdir(parents=True, exist_ok=True)
    (world.pictures / upload.id).write_bytes(content)
    world.record("media.uploaded", by="api", upload=asdict(upload))
    return world.uploads[upload.id]


def of(world: World, owner: Member, upload_id: str) -> Upload:
    """What this account uploaded under that id. Raises Refused."""
    found = world.uploads.get(upload_id)
    if found is None or (found.network, found.owner) != (owner.network, owner.id):
        raise Refused(f"There is no picture {upload_id}.")
    return found
