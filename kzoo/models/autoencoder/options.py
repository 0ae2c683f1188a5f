"""Checks of the options of `kzoo.Autoencoder`."""

from kzoo.models.data import check_positive

RECONSTRUCTION_LOSSES = ("l2", "cross_entropy")
CORRUPTIONS = (None, "masking", "gaussian")
PENALTIES = (None, "contractive", "kl", "l1")


def check_loss(reconstruction_loss):
    """`ValueError` unless there is such a loss."""
    _check_choice("reconstruction_loss", reconstruction_loss, RECONSTRUCTION_LOSSES)


def check_corruption(corruption, level):
    """`ValueError` unless there is such a corruption and the level goes with it."""
    _check_choice("corruption", corruption, CORRUPTIONS)
    _check_number("corruption_level", level, "a corruption", corruption)
    if corruption == "masking" and level > 1:
        raise ValueError(f"corruption_level must be at most 1 for 'masking', got {level!r}.")


def check_penalty(penalty, weight, sparsity, code_activation):
    """`ValueError` unless there is such a penalty and the numbers go with it.

    Args:
        penalty, weight, sparsity: as the constructor takes them.
        code_activation: of the encoder, or `None` for one of the user's own.
    """
    _check_choice("penalty", penalty, PENALTIES)
    _check_number("penalty_weight", weight, "a penalty", penalty)
    _check_number("sparsity", sparsity, "penalty='kl'", "kl" if penalty == "kl" else None)
    if penalty != "kl":
        return
    if sparsity >= 1:
        raise ValueError(f"sparsity must be below 1, got {sparsity!r}.")
    if code_activation not in (None, "sigmoid"):
        raise ValueError(
            "penalty='kl' needs codes in (0, 1): expected code_activation='sigmoid', got "
            f"{code_activation!r}."
        )


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}.")


def _check_number(name, value, owner, given):
    """`ValueError` unless `value` is positive where its owner is given, and None where not."""
    if given is not None:
        check_positive(name, 0 if value is None else value)
    elif value is not None:
        raise ValueError(f"{name} has no meaning without {owner}, got {value!r}.")
