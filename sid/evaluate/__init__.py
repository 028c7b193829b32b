"""Stage 4: one record per snapshot, implementation and draw."""
