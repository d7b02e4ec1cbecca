"""Avatars and sample pictures, drawn on demand: initials on a colour, mountains at dusk."""

from __future__ import annotations

import hashlib
import struct
import zlib
from functools import lru_cache

from .play.html import tag

AVATAR = 96
WIDTH, HEIGHT = 480, 320
Colour = tuple[int, int, int]
PALETTE: tuple[Colour, ...] = (
    (52, 81, 209), (18, 112, 63), (179, 38, 30), (138, 83, 0),
    (106, 63, 181), (0, 109, 119), (155, 34, 102), (61, 90, 108),
)  # fmt: skip
# Five by seven dots a letter, a row in five bits.
GLYPHS = {
    "A": "0e11111f111111", "B": "1e11111e11111e", "C": "0e11101010110e", "D": "1e11111111111e", "E": "1f10101e10101f",
    "F": "1f10101e101010", "G": "0e11101711110f", "H": "1111111f111111", "I": "0e04040404040e", "J": "0702020202120c",
    "K": "11121418141211", "L": "1010101010101f", "M": "111b1515111111", "N": "11191513111111", "O": "0e11111111110e",
    "P": "1e11111e101010", "Q": "0e11111115120d", "R": "1e11111e141211", "S": "0f10100e01011e", "T": "1f040404040404",
    "U": "1111111111110e", "V": "11111111110a04", "W": "11111115151b11", "X": "11110a040a1111", "Y": "11110a04040404",
    "Z": "1f01020408101f", "0": "0e11131519110e", "1": "040c040404040e", "2": "0e11010204081f", "3": "1f02040201110e",
    "4": "02060a121f0202", "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808", "8": "0e11110e11110e",
    "9": "0e11110f01020c", "?": "0e110102040004",
}  # fmt: skip
DOT = 8


def initials(name: str) -> str:
    words = [word for word in name.split() if word[:1].isalnum()]
    letters = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))
    return letters.upper() or "?"


def colour_of(seed: str) -> Colour:
    return PALETTE[hashlib.sha256(seed.encode()).digest()[0] % len(PALETTE)]


def avatar_svg(name: str, seed: str) -> str:
    red, green, blue = colour_of(seed)
    text = tag(
        "text", initials(name), x="50%", y="54%", dominant_baseline="middle", text_anchor="middle", fill="#fff",
        font_family="system-ui, sans-serif", font_size="38", font_weight="600",
    )  # fmt: skip
    ground = tag("rect", width=AVATAR, height=AVATAR, fill=f"rgb({red},{green},{blue})")
    return tag("svg", ground, text, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {AVATAR} {AVATAR}")


@lru_cache(maxsize=256)
def avatar_png(letters: str, seed: str) -> bytes:
    """96 x 96, for clients that take no SVG."""
    ground = bytes(colour_of(seed))
    rows = [bytearray(ground * AVATAR) for _ in range(AVATAR)]
    shown = [letter if letter in GLYPHS else "?" for letter in letters[:2]]
    scale = DOT - 1 if len(shown) > 1 else DOT
    left = (AVATAR - (len(shown) * 6 - 1) * scale) // 2
    for place, letter in enumerate(shown):
        _draw(rows, GLYPHS[letter], left + place * 6 * scale, (AVATAR - 7 * scale) // 2, scale)
    return _png(AVATAR, rows)


def _draw(rows: list[bytearray], glyph: str, left: int, top: int, scale: int) -> None:
    for line in range(7):
        bits = int(glyph[2 * line : 2 * line + 2], 16)
        for column in range(5):
            if bits >> (4 - column) & 1:
                start = (left + column * scale) * 3
                for y in range(top + line * scale, top + (line + 1) * scale):
                    rows[y][start : start + scale * 3] = b"\xff" * (scale * 3)


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
