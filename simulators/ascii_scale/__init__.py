"""A simulated indicator that writes lines of text, as several makers do. Shares no code with what reads it."""
