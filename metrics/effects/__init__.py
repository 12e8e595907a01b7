"""What a change did: designs, checks, verdicts."""
