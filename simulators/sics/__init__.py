"""A simulated scale that speaks MT-SICS. Shares no code with what reads it."""
