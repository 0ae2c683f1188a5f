"""The penalties of `kzoo.Autoencoder`, and the checks of its options."""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_name, check_positive


def check_corruption(corruption, level):
    """`ValueError` unless there is such a corruption and the level fits it."""
    check_name("corruption", corruption, (None, "masking", "gaussian"))
    _check_number("corruption_level", level, "a corruption", corruption)
    if corruption == "masking" and level > 1:
        raise ValueError(f"corruption_level must be at most 1 for 'masking', got {level!r}.")


def check_penalty(penalty, weight, sparsity, code_activation):
    """`ValueError` unless there is such a penalty and the numbers fit it.

    Args:
        penalty, weight, sparsity: as the constructor takes them.
        code_activation: of the encoder; `None` if the encoder is the user's own.
    """
    check_name("penalty", penalty, (None, "contractive", "kl", "l1"))
    _check_number("penalty_weight", weight, "a penalty", penalty)
    _check_number("sparsity", sparsity, "penalty='kl'", "kl" if penalty == "kl" else None)
    if penalty != "kl":
        return
    if sparsity >= 1:
        raise ValueError(f"sparsity must be below 1, got {sparsity!r}.")
    if code_activation not in (None, "sigmoid"):
        raise ValueError(
            "penalty='kl' needs latents in (0, 1): expected code_activation='sigmoid', got "
            f"{code_activation!r}."
        )


def _check_number(name, value, owner, given):
    """`ValueError` unless `value` is positive where its owner is given, and None where not."""
    if given is not None:
        check_positive(name, 0 if value is None else value)
    elif value is not None:
        raise ValueError(f"{name} has no meaning without {owner}, got {value!r}.")


def jacobian_norm(function, x, dim, seed):
    """An unbiased estimate of ||J||_F^2 (b,) of a function, by one random projection per image.

    Args:
        function: from images (b, h, w, c) to latents (b, dim), every image on its own.
        x: where to take the Jacobian, (b, h, w, c).
        dim: int.
        seed: a `keras.random.SeedGenerator`.
    """
    # E ||v' J||^2 = ||J||_F^2 for any v with E[v v'] = I; random signs vary the least.
    noise = backend.random_rows(keras.random.uniform, (ops.shape(x)[0], dim), seed=seed)
    v = ops.where(noise < 0.5, -1.0, 1.0)
    _, gradient = backend.input_gradient(lambda inputs: ops.sum(v * function(inputs), axis=1), x)
    return ops.sum(ops.square(ops.cast(gradient, "float32")), axis=(1, 2, 3))


def layer_jacobian_norm(layer, x):
    """||J||_F^2 (b,) of one dense layer in closed form.

    J = diag(f'(x W + b)) W', so the norm is the sum over the units of f'^2 |W_j|^2; of a sigmoid
    layer, f' = h (1 - h).

    Args:
        layer: a `keras.layers.Dense` with an activation that acts element by element.
        x: images (b, h, w, c).
    """
    inputs = ops.reshape(x, (-1, layer.kernel.shape[0]))
    inputs = ops.matmul(inputs, layer.kernel) + layer.bias  # (b, d)
    _, slope = backend.input_gradient(layer.activation, inputs)  # (b, d)
    norms = ops.sum(ops.square(layer.kernel), axis=0)  # (d,)
    return ops.sum(ops.square(slope) * norms, axis=1)


def kl_sparsity(latents, sparsity):
    """sum_j KL(Bernoulli(sparsity) || Bernoulli(average of unit j)) in nats, a scalar.

    Args:
        latents: (b, d), activations in (0, 1).
        sparsity: number in (0, 1).
    """
    average = ops.clip(ops.mean(latents, axis=0), 1e-7, 1.0 - 1e-7)  # (d,)
    on = sparsity * ops.log(sparsity / average)
    off = (1.0 - sparsity) * ops.log((1.0 - sparsity) / (1.0 - average))
    return ops.sum(on + off)
