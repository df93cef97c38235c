"""What people ask of edges: kept, sent, answered, and what follows in the ledger."""
