"""`python -m sid`, for launchers that start modules (`torchrun -m sid distill ...`)."""

from sid.cli import main

main()
