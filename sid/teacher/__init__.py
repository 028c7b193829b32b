"""Stage 2: the diffusion model that the generators are distilled from."""
