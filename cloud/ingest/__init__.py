"""From what the edges publish to the ledger, and the acknowledgements back."""
