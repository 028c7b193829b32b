"""Stage 1: data sets in EDM's zip layout."""
