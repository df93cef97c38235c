"""What the cloud asks of this edge: checked, carried out once, answered."""
