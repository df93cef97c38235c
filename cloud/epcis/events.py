"""EPCIS events of what crossed a gate. Pure."""
