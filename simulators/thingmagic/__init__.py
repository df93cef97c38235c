"""A simulated ThingMagic module on a serial line. Shares no code with what reads it."""
