"""A simulated LLRP 1.0.1 reader. Shares no code with what reads it."""
