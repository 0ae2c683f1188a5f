"""Pictures of images, latent spaces and trainings; none of them needs a display."""

from kzoo.visualization.curves import training_curves
from kzoo.visualization.grid import image_grid
from kzoo.visualization.latents import interpolation_strip, latent_manifold
from kzoo.visualization.neighbors import nearest_neighbor_panel

__all__ = [
    "image_grid",
    "interpolation_strip",
    "latent_manifold",
    "nearest_neighbor_panel",
    "training_curves",
]
