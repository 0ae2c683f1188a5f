"""Images to train on: uint8 NHWC batches, from TensorFlow Datasets, a folder or arrays.

| function | source | needs TensorFlow | gives |
|---|---|---|---|
| `load` | any image data set of TensorFlow Datasets | yes | `tf.data.Dataset` |
| `from_directory` | a folder of image files | no | `ArrayDataset` |
| `from_arrays` | NumPy arrays, `.npy` or `.npz` files | no | `ArrayDataset` |
| `zip_domains` | two data sets that are not paired | as those do | the same kind as those |

All go straight into `fit` and `evaluate` on every backend, and share the options for size,
binarization and augmentation. They yield `images`; with labels, `(images, labels)`; with several
features, such as a caption or a source image, a dict of them by name. `to_arrays` collects a data
set in memory; `endless` repeats one; `save_npz` writes a TensorFlow data set for a machine without
TensorFlow.
"""

from kzoo.datasets.arrays import ArrayDataset
from kzoo.datasets.collecting import endless, to_arrays
from kzoo.datasets.domains import zip_domains
from kzoo.datasets.folder import from_directory
from kzoo.datasets.npz import from_arrays, save_npz
from kzoo.datasets.prepared import load

__all__ = [
    "ArrayDataset",
    "endless",
    "from_arrays",
    "from_directory",
    "load",
    "save_npz",
    "to_arrays",
    "zip_domains",
]
