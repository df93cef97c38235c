"""What a gate takes for granted when it judges: how reads of each antenna tell the side, and what tells movement.

The defaults know nothing of a particular door. `gates learn` fits them to one from labelled passes; what it fits is
kept in a file of some thirty numbers (edge/calibration.py), and the agent only reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, log


class Factor(StrEnum):
    """What tells a tag that moves with a load from one that stands by: each in log-odds before its weight."""

    SPREAD = "spread"  # its power varies, as it does over half a wavelength of way
    BURST = "burst"  # it is read more often than it was at rest
    SIDES = "sides"  # the sides that read it changed as the load crossed
    PROFILE = "profile"  # it was read when and where the rest of the load was
    SHIFT = "shift"  # its power fell on the one side and rose on the other as the load crossed
    RISE = "rise"  # its power rose as the load crossed
    HISTORY = "history"  # it has been moving, or standing, through passages before


CERTAIN = 0.995  # no passage is more
LEAST = 1e-9  # below it a probability is as good as none


@dataclass(frozen=True, slots=True)
class Antenna:
    """Log-odds that a tag is on an antenna's own side: `base` at the tag's usual power, `per_db` for each dB above."""

    base: float
    per_db: float


# A read at the power at which a tag is usually read comes from the antenna's own side in two of three cases, and 3 dB
# more make it nearly certain: a strong read needs a short way. (Recorded doors: 65 to 99 % by distance.)
ANTENNA = Antenna(base=0.6, per_db=0.7)

WEIGHTS: Mapping[Factor, float] = {
    Factor.SPREAD: 1.0,
    Factor.BURST: 1.0,
    Factor.SIDES: 1.0,
    Factor.PROFILE: 0.7,
    Factor.SHIFT: 1.0,
    Factor.RISE: 0.5,
    Factor.HISTORY: 1.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Everything that `gates learn` may change."""

    antennas: Mapping[int, Antenna] = field(default_factory=dict)  # those not named are as `ANTENNA`
    weights: Mapping[Factor, float] = field(default_factory=lambda: WEIGHTS)
    moving: float = 0.5  # log-odds that a tag read in a passage moved, before anything is known of it
    rest_db: float = 0.5  # spread of a tag's power at rest: noise, quantisation, channel hopping
    own: float = 0.5  # how far a tag's own sides count: its reads share their multipath
    load: float = 5.0  # no load makes a tag surer of its way than these log-odds
    # Of the log-odds of what is said, and what is added to them. Uncalibrated gates were found too careful above 0.8
    # and too bold below 0.7, on recorded and on simulated doors alike.
    scale: float = 1.6
    shift: float = -0.5
    certain: float = CERTAIN  # nothing is said with more confidence

    def antenna(self, number: int) -> Antenna:
        return self.antennas.get(number, ANTENNA)

    def confidence(self, probability: float) -> float:
        """What a probability is worth at this door, as far as its labelled passes have shown."""
        if self.scale == 1.0 and self.shift == 0.0:
            return probability
        known = min(max(probability, LEAST), 1.0 - LEAST)
        return 1.0 / (1.0 + exp(-self.scale * log(known / (1.0 - known)) - self.shift))


DEFAULT = Model()
