"""Stockbeat's command line, and the demonstration: the only place that knows edge and cloud together."""

VERSION = "0.1.0"
