"""Monitors of training: collapsed posteriors, and the losses of every stage of a CFGGAN."""

import warnings

import keras

from kzoo.checks import check_positive

ADVICE = (
    "Let the weight of the KL term rise slowly (kl_warmup), give it free bits (free_bits), lower "
    "kl_weight, or take a weaker decoder. A learned scale that has become large has the same "
    "effect."
)


class PosteriorCollapse(keras.callbacks.Callback):
    """Warns after an epoch in which q(z|x) has become the prior: the decoder ignores z.

    The KL term is then near 0 (Bowman et al., 2016, arXiv:1511.06349, section 3.1) or, with
    `images`, no latent dimension is active (`kzoo.VAE.active_units`).

    Args:
        images: images (n, h, w, c), a few hundred, whose active units are counted after every
            epoch; `None` looks at the KL term alone.
        min_kl: nats per image below which the KL term is near 0.
        labels: int array (n,), of the images, for a class-conditional model.

    Raises:
        ValueError: if `min_kl` is not positive, or from `fit`, for a model without `active_units`.
    """

    def __init__(self, images=None, min_kl=0.1, labels=None):
        super().__init__()
        self.images = images
        self.min_kl = check_positive("min_kl", min_kl)
        self.options = {} if labels is None else {"labels": labels}

    def set_model(self, model):
        if not hasattr(model, "active_units"):
            raise ValueError(f"PosteriorCollapse needs a kzoo.VAE, got a {type(model).__name__}.")
        super().set_model(model)

    def on_epoch_end(self, epoch, logs=None):
        kl = (logs or {}).get("kl")
        if kl is not None and kl < self.min_kl:
            self._warn(epoch, f"the KL term is {kl:.2g} nats")
        elif self.images is not None:
            active = self.model.active_units(self.images, seed=0, **self.options)
            if not active.any():
                self._warn(epoch, f"none of the {len(active)} latent dimensions is active")

    def _warn(self, epoch, found):
        warnings.warn(
            f"Posterior collapse: after epoch {epoch + 1}, {found}; the reconstructions do not "
            f"depend on the images. {ADVICE}",
            stacklevel=2,
        )


class StageHistory(keras.callbacks.Callback):
    """Keeps the losses of every stage of a `kzoo.CFGGAN`, where `fit` keeps averages of epochs.

    With `steps_per_execution` above 1, only the last stage of each execution is seen.

    Attributes:
        history: dict of lists of floats, one value per stage: `"stage"`, counted from 1 over all
            calls of `fit`, and the model's `loss_names`: `"d_real"`, `"d_fake"`, `"grad_norm"`, ...

    Raises:
        ValueError: from `fit`, if the model is no `kzoo.CFGGAN`.
    """

    def __init__(self):
        super().__init__()
        self.history = {}

    def set_model(self, model):
        if not hasattr(model, "last_losses"):
            raise ValueError(
                f"StageHistory needs a model that grows in stages (kzoo.CFGGAN); got "
                f"{type(model).__name__}."
            )
        super().set_model(model)

    def on_train_batch_end(self, batch, logs=None):
        stage = {"stage": float(self.model.stages_done), **self.model.last_losses()}
        for name, value in stage.items():
            self.history.setdefault(name, []).append(value)
