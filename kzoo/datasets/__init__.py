"""Images to train on: uint8 NHWC batches, from TensorFlow Datasets, a folder or arrays.

| function | source | needs TensorFlow | gives |
|---|---|---|---|
| `load` | any image data set of TensorFlow Datasets | yes | `tf.data.Dataset` |
| `from_directory` | a folder of image files | no | `ArrayDataset` |
| `from_arrays` | NumPy arrays, `.npy` or `.npz` files | no | `ArrayDataset` |

All three go straight into `fit` and `evaluate` on every backend, share the options for size and
binarization, and yield `images` or, with labels, `(images, labels)`. `to_arrays` collects a data
set in memory; `save_npz` writes a TensorFlow data set for a machine without TensorFlow.
"""

from kzoo.datasets.arrays import ArrayDataset, from_arrays, to_arrays
from kzoo.datasets.folder import from_directory
from kzoo.datasets.prepared import load, save_npz

__all__ = ["ArrayDataset", "from_arrays", "from_directory", "load", "save_npz", "to_arrays"]
