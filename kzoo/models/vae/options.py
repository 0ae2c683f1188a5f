"""Checks of the options of `kzoo.VAE`."""

from kzoo.models.data import check_positive_int

OBJECTS = ("posterior", "prior")  # constructor arguments that are names or objects


def check_objective(kl_weight, kl_warmup, free_bits, num_importance_samples):
    """`ValueError` unless the options of the training loss are possible and go together."""
    for name, value in (("kl_weight", kl_weight), ("free_bits", free_bits)):
        if not value >= 0:
            raise ValueError(f"{name} must be at least 0, got {value!r}.")
    if kl_warmup != 0:
        check_positive_int("kl_warmup", kl_warmup)
    if check_positive_int("num_importance_samples", num_importance_samples) > 1 and free_bits:
        raise ValueError(
            "free_bits change the KL term, which the k-sample bound has not: expected "
            f"num_importance_samples=1 or free_bits=0, got {num_importance_samples} and "
            f"{free_bits}."
        )
