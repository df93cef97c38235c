"""A simulated module of the M100 family on a serial line. Shares no code with what reads it."""
