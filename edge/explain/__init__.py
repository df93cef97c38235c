"""One passage of one tag, drawn and told: what was read, what was decided, and why."""
