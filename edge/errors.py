"""Every error the edge raises on purpose. Each class is one decision for the caller."""


class EdgeError(Exception):
    """Base of all of them; its text is fit to show an operator."""


class ConfigError(EdgeError):
    """The configuration is wrong. Do not start; a person must edit it."""


class RecordingError(EdgeError):
    """A recording cannot be read. Names the line and what would be right."""


class LabelsError(EdgeError):
    """What a door is to learn from is wrong, or is not enough. Names the lines, and what would be right."""


class ReaderError(EdgeError):
    """One reader cannot be read just now. The others go on."""


class ReaderLost(ReaderError):
    """The link broke or went silent. Try again soon."""


class ReaderRefused(ReaderError):
    """The device said no (busy with another client, bad login). Try again slowly."""


class ProtocolError(ReaderError):
    """The bytes are not this device's protocol. Reconnect; nothing can be resumed."""


class StoreError(EdgeError):
    """Reads or events cannot be kept safe on disk. Stop: going on would lose them silently."""


class StoreFull(StoreError):
    """The disk is full. Nothing was written; make room or wait, then try the same again."""
