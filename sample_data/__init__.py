"""The seeded sample warehouse, and the truth it planted."""

from sample_data.generator import generate

__all__ = ["generate"]
