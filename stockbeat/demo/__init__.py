"""A whole site on one machine: simulated devices, edge, broker and cloud, each a process of its own."""
