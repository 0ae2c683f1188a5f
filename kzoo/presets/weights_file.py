"""The weights file of a preset: what may be in it, and in how many bytes."""

import math
import zlib
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import ops

from kzoo.paths import written_whole
from kzoo.presets.limits import check_size, most_bytes
from kzoo.presets.sources import METADATA, WEIGHTS, PresetFiles, sha256_of, short

_ADVICE = (
    "Get the preset again; if arguments of from_preset() change the architecture, "
    "pass load_weights=False."
)

_LARGE = 2**15  # bytes of an array from which on it is compressed
_ROW = 2**14
_FILTERS = {(), (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE)}  # of HDF5


def check_finite(model: keras.Model) -> None:
    """Checks that no weight is NaN or infinite.

    Raises:
        ValueError: naming the first weight that is.
    """
    for variable in model.weights:
        if not np.all(np.isfinite(ops.convert_to_numpy(ops.cast(variable.value, "float32")))):
            raise ValueError(
                f"The weight {variable.path!r} of {model.name!r} holds values that are not finite "
                "numbers: the training diverged. Such a model is not saved as a preset."
            )


def pack(path: Path) -> None:
    """Stores the float32 weights of a weights file as float16, and large arrays compressed.

    Loading gives float32 again. Single numbers stay as they are: some of them count updates. The
    relative error is at most 2**-11, the absolute one of numbers below 6e-5 at most 3e-8.

    Raises:
        ValueError: if a weight is beyond the range of float16, +-65504.
    """

    def store(name, item):
        if not isinstance(item, h5py.Dataset):
            target.require_group(name).attrs.update(item.attrs)
            return
        values = item[()]
        if values.dtype == np.float32 and values.ndim:
            with np.errstate(over="ignore"):
                smaller = values.astype(np.float16)
            if not np.array_equal(np.isfinite(smaller), np.isfinite(values)):
                raise ValueError(
                    f"half_precision: {name} holds {values.flat[np.abs(values).argmax()]:.6g}, "
                    "beyond the range of float16, +-65504."
                )
            values = smaller
        options: dict[str, Any] = {}
        if values.nbytes >= _LARGE:
            options = {"chunks": chunk_shape(values), "compression": "gzip", "shuffle": True}
        target.create_dataset(name, data=values, **options).attrs.update(item.attrs)

    with written_whole(path) as part, h5py.File(path) as source, h5py.File(part, "w") as target:
        target.attrs.update(source.attrs)
        source.visititems(store)


def chunk_shape(values: np.ndarray) -> tuple[int, ...]:
    """The pieces in which HDF5 compresses an array: the whole first axis, and 16 KiB of each row.

    The discriminators D_1 .. D_T of a CFGGAN are the rows of its arrays, and often nearly equal.
    Compression finds what it has seen within 32 KiB, so rows must lie close together in a piece.
    """
    rows, *rest = values.shape
    for axis, size in enumerate(rest):
        row = math.prod(rest) * values.itemsize
        rest[axis] = max(1, size * _ROW // max(row, _ROW))
    return (rows, *rest)


def find_weights(files: PresetFiles, metadata: dict, parameters: int, sha256: str | None) -> Path:
    """The weights file of a preset, with the right hash and size.

    Args:
        files: the preset.
        metadata: what `metadata.json` holds.
        parameters: how many it lists.
        sha256: the hash that the caller expects, or `None` for that of the metadata.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is damaged, of another size than so many parameters have, or comes from
            elsewhere without a hash.
    """
    listed = metadata.get("sha256")
    expected = sha256 or listed
    if expected is None and files.is_remote:
        raise ValueError(
            f"{METADATA} of {files.location} has no sha256 of the weights. Pass the hash that you "
            "trust as sha256=..., or get the preset as a local folder."
        )
    path = files.path(WEIGHTS, expected, most_bytes(parameters))
    check_size(path.stat().st_size, parameters, str(path))
    if expected is not None and sha256_of(path) != expected:
        raise ValueError(
            f"{path} is damaged or belongs to another preset: its SHA-256 is {sha256_of(path)}, "
            f"{METADATA if sha256 is None else 'the caller'} says {short(expected)}. Get the "
            "preset again."
        )
    return path


def load_weights(model: keras.Model, path: Path, parameters: int) -> None:
    """Loads a preset's weights, all of them and nothing else.

    Raises:
        ValueError: if the file is damaged or holds other weights than the model has.
    """
    if parameters != model.count_params():
        raise ValueError(
            f"{path} holds {parameters:,} parameters, and the model has "
            f"{model.count_params():,}. {_ADVICE}"
        )
    floats = [v for v in model.weights if keras.backend.is_float_dtype(v.dtype)]
    check_arrays(path, len(model.weights) - len(floats), parameters)
    # Keras does not report all weights that the file lacks: marked weights show which.
    for variable in floats:
        variable.assign(ops.full(variable.shape, float("nan"), dtype=variable.dtype))
    try:
        model.load_weights(path)
    except Exception as error:  # each backend has its own errors
        raise ValueError(f"{path} does not fit the model: {short(error)} {_ADVICE}") from error
    unset = [v.path for v in floats if not bool(ops.all(ops.isfinite(v.value)))]
    if unset:
        raise ValueError(
            f"{path} lacks {len(unset)} weights of the model or holds NaN or infinity for them, "
            f"the first being {short(unset[0])!r}. {_ADVICE}"
        )


def check_arrays(path: Path, integers: int, parameters: int) -> None:
    """Checks that a weights file holds only arrays of floats, and some integers.

    An array must lie in the file itself, in its whole length, at one place: HDF5 can also point to
    other files, to groups that contain themselves, and to a few bytes that grow to gigabytes when
    they are read. So compressed arrays are unpacked here, as far as they may be long.

    Raises:
        ValueError: naming the first entry that is something else.
    """
    found, seen, left = 0, set(), most_bytes(parameters)

    def is_inside(link, item):
        nonlocal left
        if not isinstance(link, h5py.HardLink) or item in seen:
            return False
        seen.add(item)  # h5py compares by the place in the file
        if isinstance(item, h5py.Group):
            return True
        if not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
            return False
        if item.chunks is None:
            return item.id.get_storage_size() >= item.nbytes
        chunks = math.prod(-(-n // size) for n, size in zip(item.shape, item.chunks, strict=True))
        left -= chunks * chunk_bytes(item)
        return left >= 0 and chunks == item.id.get_num_chunks() and unpacks(item)

    def check(group):
        nonlocal found
        for name in group:
            link = group.get(name, getlink=True)
            item: Any = group[name] if isinstance(link, h5py.HardLink) else None
            where = short(f"{group.name.rstrip('/')}/{name}"[1:])
            if not is_inside(link, item):
                raise ValueError(f"{path} holds {where!r}, no array of this file. {_ADVICE}")
            if isinstance(item, h5py.Group):
                check(item)
                continue
            found += item.dtype.kind in "iu"
            if item.dtype.kind not in "fViu" or found > integers:  # bfloat16 is of kind "V"
                raise ValueError(
                    f"{path} holds the array {where!r} of type {short(item.dtype)}, expected "
                    f"weights of type float32 or float16. {_ADVICE}"
                )

    try:
        with h5py.File(path) as file:
            check(file)
    except (OSError, RuntimeError, KeyError, TypeError, zlib.error) as error:
        raise ValueError(f"{path} does not fit the model: {short(error)} {_ADVICE}") from error


def chunk_bytes(array: h5py.Dataset) -> int:
    """The bytes of each unpacked piece of an array."""
    return math.prod(array.chunks) * array.dtype.itemsize


def unpacks(array: h5py.Dataset) -> bool:
    """Whether every piece of an array is as long as it should be, unpacked if it is compressed."""
    properties = array.id.get_create_plist()
    filters = tuple(properties.get_filter(i)[0] for i in range(properties.get_nfilters()))
    if filters not in _FILTERS:
        return False
    size = chunk_bytes(array)
    for i in range(array.id.get_num_chunks()):
        skipped, piece = array.id.read_direct_chunk(array.id.get_chunk_info(i).chunk_offset)
        if filters:
            unpacked = zlib.decompressobj()
            piece = unpacked.decompress(piece, size + 1)
        if skipped or len(piece) != size:
            return False
    return True
