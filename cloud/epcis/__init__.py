"""What crossed the gates, told to others as EPCIS 2.0 events: written to a file, or pushed to a capture endpoint."""
