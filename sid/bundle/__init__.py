"""A bundle to hand in: records and all that follows from them, with what made them."""
