"""The planogram: what each bay is meant to hold, how many fit, how many stand side by side, and when it is low."""
