"""Multi-scale PixelRNN (van den Oord et al. 2016, arXiv:1601.06759, section 3.6)."""

import keras

from kzoo.checks import check_image_shape, check_positive_int
from kzoo.configs import plain
from kzoo.models.autoregressive.multi_scale.multi_scale import MultiScale
from kzoo.models.autoregressive.pixelrnn import PixelRNN


@keras.saving.register_keras_serializable(package="kzoo")
class MultiScalePixelRNN(MultiScale):
    """PixelRNNs at several scales. All but the smallest are conditioned on the next smaller image.

    Args:
        image_shape: `(height, width, channels)` of the images.
        num_scales: number of scales, at least 2.
        scale_factor: how many times larger each scale is than the one before; height and width
            must be multiples of `scale_factor ** (num_scales - 1)`.
        context_features: number of features of the upsampled smaller image.
        num_classes: number of classes of a class-conditional model; `None` for none.
        dtype: dtype policy of all scales, as in `keras.Model`.
        name: as in `keras.Model`.
        **arguments: of `kzoo.PixelRNN`, the same for all scales: `variant`, `levels`, `units`,
            `num_layers` and so on.

    Input and output shapes: as in `MultiScale`.

    Raises:
        ValueError: if the image cannot be divided, or an argument does not suit `PixelRNN`.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        num_scales=2,
        scale_factor=2,
        context_features=16,
        num_classes=None,
        dtype=None,
        name=None,
        **arguments,
    ):
        height, width, channels = check_image_shape(image_shape)
        num_scales = check_positive_int("num_scales", num_scales)
        scale_factor = check_positive_int("scale_factor", scale_factor)
        whole = scale_factor ** (num_scales - 1)
        if num_scales < 2 or scale_factor < 2:
            raise ValueError(
                "num_scales and scale_factor must be at least 2, got "
                f"num_scales={num_scales} and scale_factor={scale_factor}."
            )
        if height % whole or width % whole:
            raise ValueError(
                f"Height and width must be multiples of {whole} for num_scales={num_scales} and "
                f"scale_factor={scale_factor}, got image_shape={tuple(image_shape)}."
            )
        models = []
        for i in range(num_scales):
            ratio = scale_factor ** (num_scales - 1 - i)
            models.append(
                PixelRNN(
                    image_shape=(height // ratio, width // ratio, channels),
                    num_classes=num_classes,
                    context_features=context_features if i else None,
                    dtype=dtype,
                    name=f"scale_{i}",
                    **arguments,
                )
            )
        super().__init__(models, dtype=dtype, **({} if name is None else {"name": name}))
        self._arguments = {
            "image_shape": (height, width, channels),
            "num_scales": num_scales,
            "scale_factor": scale_factor,
            "context_features": context_features,
            "num_classes": num_classes,
            **arguments,
        }

    def get_config(self):
        config = super().get_config()
        config.pop("models")
        return config | {name: plain(value) for name, value in self._arguments.items()}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
