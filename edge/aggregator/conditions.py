"""Whether a bay counts, and why not."""

from wire.events import Condition


class Conditions:
    """`alien`: another scale than the one that was calibrated; `check`: weights that a scale in order does not show, of
    which not even differences mean anything if it is `mute`; `blind`: it does not weigh; `until_ms`: in service. `said`
    is forgotten at each start: whoever hears of the bay hears how it is, whatever they were told before and by whom.
    """

    def __init__(self) -> None:
        self.alien = self.check = self.blind = ""
        self.mute = False
        self.until_ms: int | None = None
        self.said: tuple[Condition, str] | None = None

    @property
    def unsure(self) -> bool:
        """The scale should be looked at: what it says is said with a doubt."""
        return bool(self.alien or self.check)

    @property
    def in_service(self) -> bool:
        return self.until_ms is not None

    def believe(self) -> None:
        """A person has looked, or it is as it was."""
        self.alien = self.check = ""
        self.mute = False

    def now(self, doubt: str) -> tuple[Condition, str]:
        """`doubt`: why what stands there is not known; empty where it is."""
        if self.in_service:
            return Condition.SERVICE, ""
        if self.unsure:
            return Condition.NEEDS_CHECK, self.alien or self.check
        if self.blind:
            return Condition.BLIND, self.blind
        return (Condition.UNCERTAIN, doubt) if doubt else (Condition.OK, "")

    def news(self, doubt: str) -> tuple[Condition, str] | None:
        """What to say, where it is another state than was said, or the same for another reason; taken as said."""
        now = self.now(doubt)
        if now == self.said:
            return None
        self.said = now
        return now
