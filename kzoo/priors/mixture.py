"""Mixture of Gaussians as a prior.

[1] Tomczak and Welling, VAE with a VampPrior, 2018 (arXiv:1705.07120), section 2: the mixture of
    Gaussians that the VampPrior is compared with ("MoG").

Deviation: the weights of the components are learned, too.
"""

import keras

from kzoo.models.data import check_positive_int
from kzoo.priors.prior import Mixture


@keras.saving.register_keras_serializable(package="kzoo")
class GaussianMixture(Mixture):
    """sum_k w_k N(mean_k, diag(exp(log_variance_k))), all of it learned.

    Args:
        num_components: K, at least 1.
    """

    def __init__(self, num_components=50, **kwargs):
        super().__init__(**kwargs)
        self.num_components = check_positive_int("num_components", num_components)

    def get_config(self):
        return {**super().get_config(), "num_components": self.num_components}

    def build(self, input_shape):
        shape = (self.num_components, input_shape[-1])
        apart = keras.initializers.RandomNormal(stddev=1.0)  # equal components would stay equal
        self.means = self.add_weight(shape, apart, name="means")
        self.log_variances = self.add_weight(shape, "zeros", name="log_variances")
        self.logits = self.add_weight(shape[:1], "zeros", name="logits")
        self.built = True

    def components(self):
        return self.logits.value, self.means.value, self.log_variances.value
