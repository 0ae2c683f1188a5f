"""Pictures of images, latent spaces and trainings; none of them needs a display."""

from kzoo.visualization.curves import training_curves
from kzoo.visualization.encoded_images import (
    arithmetic_sheet,
    latent_traversals,
    reconstruction_sheet,
)
from kzoo.visualization.grid import image_grid, nearest_neighbor_panel
from kzoo.visualization.latents import interpolation_strip, latent_manifold
from kzoo.visualization.pixels import completion_sheet, receptive_field

__all__ = [
    "arithmetic_sheet",
    "completion_sheet",
    "image_grid",
    "interpolation_strip",
    "latent_manifold",
    "latent_traversals",
    "nearest_neighbor_panel",
    "receptive_field",
    "reconstruction_sheet",
    "training_curves",
]
