"""Every error the cloud raises on purpose. Each class is one decision for the caller."""


class CloudError(Exception):
    """Base of all of them; its text is fit to show an operator."""


class ConfigError(CloudError):
    """The configuration is wrong. Do not start; a person must edit it."""


class MasterDataError(CloudError):
    """Master data cannot be loaded. Nothing of it was; names each file, line and column that is wrong."""


class BookingError(CloudError):
    """One event cannot be booked as it stands. Park it with this text; others go on."""


class LedgerError(CloudError):
    """The ledger cannot be opened, or is not what it should be. Stop."""
