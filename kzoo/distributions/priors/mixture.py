"""Mixtures as priors: of Gaussians, and of variational posteriors (the VampPrior).

[1] Tomczak and Welling, VAE with a VampPrior, 2018 (arXiv:1705.07120): section 2 for the mixture of
    Gaussians that the VampPrior is compared with ("MoG"), eq. 9 for the VampPrior.

Deviations: the weights of a mixture of Gaussians are learned, too. The VampPrior's pseudo-inputs
are tanh of their weights, which keeps them within the images' range; the paper uses a clipped
linear map. They start from noise. They pass the encoder in inference mode, also during training:
its batch norm takes the moving averages, and its dropout does nothing.
"""

import keras
from keras import ops

from kzoo.distributions.posteriors import DiagonalGaussian
from kzoo.distributions.priors.prior import Mixture


@keras.saving.register_keras_serializable(package="kzoo")
class GaussianMixture(Mixture):
    """sum_k w_k N(mean_k, diag(exp(log_variance_k))), all of it learned.

    Args:
        num_components: K, at least 1.
    """

    def __init__(self, num_components=50, **kwargs):
        super().__init__(num_components, **kwargs)

    def build(self, input_shape):
        shape = (self.num_components, input_shape[-1])
        apart = keras.initializers.RandomNormal(stddev=1.0)  # equal components would stay equal
        self.means = self.add_weight(shape, apart, name="means")
        self.log_variances = self.add_weight(shape, "zeros", name="log_variances")
        self.logits = self.add_weight(shape[:1], "zeros", name="logits")
        self.built = True

    def components(self):
        return self.logits.value, self.means.value, self.log_variances.value


@keras.saving.register_keras_serializable(package="kzoo")
class VampPrior(Mixture):
    """1/K sum_k q(z|u_k): the posteriors of K learned pseudo-inputs u_k.

    It needs a `kzoo.VAE` with a diagonal Gaussian posterior and without classes.

    Args:
        num_components: K, at least 1.
    """

    def __init__(self, num_components=100, **kwargs):
        super().__init__(num_components, **kwargs)

    def attach(self, model):
        """Called once by the model: the pseudo-inputs go through its encoder.

        Raises:
            ValueError: if the posterior is not a `DiagonalGaussian`, or the model has classes.
        """
        if not isinstance(model.posterior, DiagonalGaussian):
            raise ValueError(
                "A VampPrior needs the posterior 'diagonal_gaussian', got "
                f"{type(model.posterior).__name__}."
            )
        if model.num_classes is not None:
            raise ValueError(
                f"A VampPrior needs a model without classes, got num_classes={model.num_classes}."
            )
        self.latent_dim = model.latent_dim
        # A function, because prior and model would otherwise be parts of each other.
        self._posterior_of = lambda x: model.posterior.split(model.posterior_parameters(x))
        if not self.built:
            self.build((None, *model.image_shape))

    def build(self, input_shape):
        shape = (self.num_components, *input_shape[1:])
        noise = keras.initializers.RandomNormal(stddev=0.5)
        self.pseudo_inputs = self.add_weight(shape, noise, name="pseudo_inputs")
        self.built = True

    def components(self):
        means, log_variances = self._posterior_of(ops.tanh(self.pseudo_inputs.value))
        return ops.zeros((self.num_components,)), means, log_variances
