"""Rules: what to watch is data, how to judge it is one pure function. No I/O and no clock here."""
