"""What the simulators refuse on purpose."""


class SimulatorError(Exception):
    """Base of all of them; its text is fit to show a person."""


class ScenarioError(SimulatorError):
    """The scenario is wrong. Do not start; a person must edit it."""


class LinkDown(SimulatorError):
    """The other side went away, or a trouble hung up. Wait for the next client."""


class Malformed(SimulatorError):
    """The client's bytes are not this device's protocol; nothing after them can be understood."""
