"""Doors side by side, each with its antennas and eyes, and the agent's configuration for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.doors.radio import Aerial

EDGE = "doors"
POST_M = 1.6  # from the middle of the way to either post
ALONG_M = 0.7  # from the sill to the antennas of a side
TURNED_DEG = 20.0  # towards their side, away from straight across
APART_M = 4.2  # between the middles of two doors
EYES_M = 0.45  # from the sill to the beam on either side of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """`a_side` antennas on each side of the sill; 0 is one for both, which faces straight across."""

    name: str
    a_side: int = 2
    x: float = 0.0
    eyes: bool = False

    @property
    def aerials(self) -> tuple[Aerial, ...]:
        if self.a_side == 0:
            return (Aerial(self.name, 1, "outside", self.x + POST_M, 0.0, 180.0),)
        found: list[Aerial] = []
        for side, sign in (("outside", -1.0), ("inside", 1.0)):
            for post, faces in ((1.0, 180.0 - sign * TURNED_DEG), (-1.0, sign * TURNED_DEG))[: self.a_side]:
                where = (self.x + post * POST_M, sign * ALONG_M)
                found.append(Aerial(self.name, len(found) + 1, side, *where, faces))
        return tuple(found)


def configuration(doors: Sequence[Door]) -> str:
    """The edge's configuration, without readers: for `replay` and everything that takes a recording."""
    parts = [f'edge = "{EDGE}"\n']
    for door in doors:
        antennas = ", ".join(f'{a.number} = "{a.side}"' for a in door.aerials)
        parts.append(
            f'\n[[gates]]\nname = "{door.name}"\nrole = "dock"\n'
            f'joins = {{ outside = "yard", inside = "backroom" }}\nantennas = {{ {antennas} }}\n'
        )
        if door.eyes:
            parts.append("eyes = { outside = 1, inside = 2 }\n")
    return "".join(parts)
