"""Who plays in the demo: two brands, the people who work for them, and their customers. Plain data, no Django."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DemoBrand:
    slug: str
    name: str
    x: str  # handle of the X account
    facebook: str  # handle of the Page
    followers: int


@dataclass(frozen=True, slots=True)
class Colleague:
    """Someone who signs in. The password is known to everybody: it is for the demo only."""

    email: str
    name: str
    role: str
    password: str
    brands: tuple[str, ...]
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class DemoTeam:
    """Colleagues who are called and given threads together; `members` go by the first part of their address."""

    brand: str
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Customer:
    handle: str
    name: str
    followers: int
    lang: str = "en"
    verified: bool = False
    dm_open: bool = True
    tags: tuple[str, ...] = field(default=())


TRAILHEAD = DemoBrand("trailhead", "Trailhead Outdoors", "trailhead", "trailheadpage", 48_300)
NORDLICHT = DemoBrand("nordlicht", "Nordlicht Coffee", "nordlicht", "nordlichtkaffee", 12_900)
BRANDS = (TRAILHEAD, NORDLICHT)

COLLEAGUES = (
    Colleague("ana@trailhead.example", "Ana Ferreira", "agent", "demo-agent", ("trailhead",), "Europe/Lisbon"),
    Colleague("ben@trailhead.example", "Ben Adeyemi", "agent", "demo-agent", ("trailhead",), "Europe/London"),
    Colleague("lena@nordlicht.example", "Lena Brandt", "agent", "demo-agent", ("nordlicht",), "Europe/Berlin"),
    Colleague("mira@trailhead.example", "Mira Novak", "manager", "demo-manager", ("trailhead", "nordlicht"), "Europe/Vienna"),
    Colleague("ada@trailhead.example", "Ada Lindholm", "admin", "demo-admin", ("trailhead", "nordlicht"), "Europe/Stockholm"),
)  # fmt: skip

TEAMS = (
    DemoTeam("trailhead", "Gear experts", ("ana", "ben")),
    DemoTeam("trailhead", "Returns", ("ben", "mira")),
    DemoTeam("nordlicht", "Roastery", ("lena", "mira")),
)

# One account for each role, as printed where the product is started.
SIGN_IN = tuple(next(one for one in COLLEAGUES if one.role == role) for role in ("agent", "manager", "admin"))

CUSTOMERS = (
    Customer("mayak", "Maya Keller", 18_200, tags=("VIP", "expedition")),
    Customer("jokafor", "Jonas Okafor", 310, tags=("helper",)),
    Customer("sofia_outdoors", "Sofia Rossi", 2_400, tags=("helper", "expert")),
    Customer("grumpygus", "Gus Hale", 96, dm_open=False, tags=("at risk",)),
    Customer("hikerdad", "Dave Moreau", 540),
    Customer("walt_w", "Walt Whitmore", 77),
    Customer("tim_becker", "Tim Becker", 205, "de"),
    Customer("noura_ht", "نورة الحربي", 6_120, "ar"),
    Customer("yael_c", "יעל כהן", 890, "he"),
    Customer("priya_runs", "Priya Nair", 33_900, verified=True, tags=("VIP",)),
    Customer("claire_d", "Claire Dubois", 1_150, "fr"),
    Customer("akira_t", "田中 明", 420, "ja"),
    Customer("beanqueen", "Rosa Lindqvist", 4_800, tags=("subscriber",)),
    Customer("olekv", "Oleksandr Kovalenko", 61, "uk"),
)
