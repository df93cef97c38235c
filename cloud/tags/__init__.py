"""Tags: an EPC is identity, not quantity. What each crossing means follows from the tag's whole story."""
