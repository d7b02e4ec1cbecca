"""Avatars and sample pictures, drawn on demand: people and hills, mountains at dusk."""

from __future__ import annotations

import hashlib
import struct
import zlib
from functools import lru_cache
from typing import NamedTuple

AVATAR = 96
WIDTH, HEIGHT = 480, 320
Colour = tuple[int, int, int]
PALETTE: tuple[Colour, ...] = (
    (52, 81, 209), (18, 112, 63), (179, 38, 30), (138, 83, 0),
    (106, 63, 181), (0, 109, 119), (155, 34, 102), (61, 90, 108),
)  # fmt: skip
SKIN: tuple[Colour, ...] = ((255, 224, 196), (241, 194, 152), (214, 160, 116), (168, 113, 74), (120, 76, 48))
HAIR: tuple[Colour, ...] = ((35, 27, 25), (82, 52, 34), (139, 85, 46), (214, 172, 98), (190, 190, 196), (150, 62, 34))
FINE = 4  # lines drawn for each line of dots, so that edges are smooth


class Oval(NamedTuple):
    """A filled ellipse, of which only the lines above `bottom` are drawn. Lengths in dots."""

    x: float
    y: float
    wide: float
    high: float
    colour: Colour
    bottom: float = AVATAR


def colour_of(seed: str) -> Colour:
    return PALETTE[hashlib.sha256(seed.encode()).digest()[0] % len(PALETTE)]


@lru_cache(maxsize=256)
def avatar_png(seed: str, *, brand: bool) -> bytes:
    """96 x 96, following from the seed: somebody's head and shoulders, or a sun over hills for a brand."""
    base = colour_of(seed)
    rows = [bytearray(bytes(base if brand else _mix(base, (255, 255, 255), 62)) * AVATAR) for _ in range(AVATAR)]
    for oval in _hills(base) if brand else _person(hashlib.sha256(seed.encode()).digest(), base):
        _fill(rows, oval)
    return _png(AVATAR, rows)


def _hills(base: Colour) -> list[Oval]:
    return [
        Oval(60, 38, 17, 17, (255, 209, 102)),
        Oval(22, 100, 58, 48, _mix(base, (255, 255, 255), 55)),
        Oval(84, 104, 56, 42, _mix(base, (255, 255, 255), 80)),
    ]


def _person(draw: bytes, base: Colour) -> list[Oval]:
    skin, hair = SKIN[draw[1] % len(SKIN)], HAIR[draw[2] % len(HAIR)]
    shadow = _mix(skin, (60, 30, 20), 18)
    fringe = 31 + draw[3] % 6
    behind = [Oval(48, 46, 25, 22 + draw[4] % 12, hair)] if draw[5] % 2 else [Oval(48, 37, 21.5, 21, hair)]
    return [
        *behind,
        Oval(48, 104, 38, 38, base),
        Oval(48, 66, 9, 14, shadow),
        Oval(48, 42, 18, 21, skin),
        Oval(48, 38, 20, 20, hair, bottom=fringe),
    ]


def _fill(rows: list[bytearray], oval: Oval) -> None:
    """Each line of dots is covered by FINE thin lines; a dot takes the colour by how much of it they cover."""
    for y in range(max(0, int(oval.y - oval.high)), min(AVATAR, int(oval.y + oval.high) + 1)):
        covered = [0.0] * AVATAR
        for part in range(FINE):
            line = y + (part + 0.5) / FINE
            inside = 1 - ((line - oval.y) / oval.high) ** 2
            if inside > 0 and line < oval.bottom:
                half = oval.wide * inside**0.5
                left, right = max(0.0, oval.x - half), min(float(AVATAR), oval.x + half)
                for x in range(int(left), min(AVATAR, int(right) + 1)):
                    covered[x] += max(0.0, min(x + 1, right) - max(x, left))
        for x, share in enumerate(covered):
            if share:
                old = rows[y][x * 3], rows[y][x * 3 + 1], rows[y][x * 3 + 2]
                rows[y][x * 3 : x * 3 + 3] = bytes(_mix(old, oval.colour, round(share * 100 / FINE)))


@lru_cache(maxsize=32)
def landscape_png(seed: str) -> bytes:
    """480 x 320: a sky and three ranges of mountains that follow from the seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    base = colour_of(seed)
    rows = []
    ridges = [_ridge(digest[index * 8 : index * 8 + 8], HEIGHT * (3 + index) // 7) for index in range(3)]
    for y in range(HEIGHT):
        sky = _mix(base, (255, 236, 214), 35 + 60 * y // HEIGHT)
        row = bytearray(bytes(sky) * WIDTH)
        for index, ridge in enumerate(ridges):
            tone = bytes(_mix(base, (12, 18, 30), 25 + 30 * index))
            for x in range(WIDTH):
                if y >= ridge[x]:
                    row[x * 3 : x * 3 + 3] = tone
        rows.append(row)
    return _png(WIDTH, rows)


def _ridge(digest: bytes, middle: int) -> list[int]:
    step = WIDTH // (len(digest) - 1)
    heights = [middle + (byte - 128) // 4 for byte in digest]
    found = []
    for x in range(WIDTH):
        place, rest = min(x // step, len(heights) - 2), x % step
        found.append(heights[place] + (heights[place + 1] - heights[place]) * rest // step)
    return found


def _mix(one: Colour, other: Colour, percent: int) -> Colour:
    red, green, blue = (a + (b - a) * percent // 100 for a, b in zip(one, other, strict=True))
    return red, green, blue


def _png(width: int, rows: list[bytearray]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
