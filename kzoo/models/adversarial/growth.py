"""Networks for larger images that grow out of trained ones for smaller images.

Karras, Aila, Laine, Lehtinen 2018, "Progressive growing of GANs for improved quality, stability,
and variation", arXiv:1710.10196, section 2 [1]: a GAN learns small images first, which is cheap
and stable. Then layers are added to both networks, and faded in while all layers go on learning.

Deviations: [1] fades in over 800,000 images. Here the layers that are added are strided
convolutions, as those of the rest of the networks.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_int
from kzoo.layers.fade import Fade

OLD = "old_"  # prefix of the layers at half the size, which serve until the new ones are in


def layers_of(network):
    """The layers of a network, and those of the networks within it."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer


def take_weights(network, source):
    """Copies weights from `source` to the layers of the same names.

    Layers whose weights have other shapes keep their own.

    Returns:
        The names of the layers of `source` whose weights were not taken.
    """
    given = {layer.name: layer for layer in layers_of(source) if layer.weights}
    taken = set()
    for layer in layers_of(network):
        # A layer with the prefix takes the weights of the smaller network's layer of that name.
        for name in (layer.name, layer.name.removeprefix(OLD)):
            if name in given and _shapes(layer) == _shapes(given[name]):
                layer.set_weights(given[name].get_weights())
                taken.add(name)
                break
    return [name for name in given if name not in taken]


def _shapes(layer):
    return [tuple(variable.shape) for variable in layer.weights]


class Growth:
    """Lets a model with two networks start from a smaller model (a mixin)."""

    def _check_growth(self, fade_images, grow_from):
        """Checks the arguments before anything is built."""
        self.fade_images = check_int("fade_images", fade_images, 0, "an int of at least 0")
        self.grow_from = None  # its weights are taken once; a config does not hold it
        if grow_from is None:
            return
        if not isinstance(grow_from, Growth):
            raise ValueError(
                f"grow_from must be a kzoo model with two networks, got {grow_from!r}."
            )
        height, width, channels = self.image_shape
        shapes = (self.image_shape, (height // 2, width // 2, channels))
        if tuple(grow_from.image_shape) not in shapes or grow_from.latent_dim != self.latent_dim:
            raise ValueError(
                f"grow_from must make images of {shapes[1]} (or {shapes[0]}) from latents of "
                f"{self.latent_dim}, got images of {tuple(grow_from.image_shape)} from latents of "
                f"{grow_from.latent_dim}."
            )

    def _set_growth(self, grow_from):
        """Takes the smaller model's weights, once the networks are built."""
        if self.fade_images:
            self.images_seen = self.add_weight(
                (), "zeros", trainable=False, dtype="float32", name="images_seen"
            )
        if grow_from is None:
            return
        average = getattr(grow_from, "averaged_generator", grow_from.generator)
        pairs = [
            (self.discriminator, grow_from.discriminator),
            (self.generator, grow_from.generator),
        ]
        if self.average_decay:
            pairs.append((self.averaged_generator, average))
        for network, source in pairs:
            # The layers next to the image are new. One of the smaller network may be left over.
            spare = 0 if self.fade_images else 1
            left = take_weights(network, source)
            inner = [name for name in left if not name.startswith((OLD, "image_", "fade"))]
            if len(inner) > spare:
                raise ValueError(
                    f"grow_from has layers {inner} in its {source.name} that do not fit; expected "
                    "networks of the same kind, and for half the image's side twice the width: got "
                    f"width={grow_from.width!r} to grow width={self.width!r}."
                )
        heads = [model.recognition.head for model in (self, grow_from) if model.has_head]
        if len(heads) == 2 and _shapes(heads[0]) == _shapes(heads[1]):
            heads[0].set_weights(heads[1].get_weights())
        if self.average_decay and grow_from.average_decay:
            if self.image_shape == grow_from.image_shape:  # the average goes on, too
                self.average_updates.assign(ops.copy(grow_from.average_updates.value))

    def _fade(self, images):
        """Raises alpha; `images` are those of one update of the discriminator."""
        if not self.fade_images:
            return
        _, replicas = backend.replica()
        count = float(images.shape[0] or 0) or ops.shape(images)[0]
        self.images_seen.assign_add(replicas * count)
        alpha = ops.minimum(self.images_seen.value / self.fade_images, 1.0)
        for network in (self.discriminator, self.generator):
            for layer in layers_of(network):
                if isinstance(layer, Fade):
                    layer.alpha.assign(alpha)
