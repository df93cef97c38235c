"""Master data: what there is to stock, and where. Loaded from a folder of files, whole or not at all."""
