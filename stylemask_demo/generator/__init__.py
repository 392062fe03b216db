"""The generator at work: sampling, synthesis, inversion and tuning."""
