"""Stage 3: a one-step generator from a teacher, by SiD, SiDA or a rival method."""
