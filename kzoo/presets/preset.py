"""`from_preset` and `save_to_preset`, for every model of kzoo."""

import datetime
import os
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

import keras

from kzoo import __version__
from kzoo.presets.safety import HasPresets, check_config, object_class
from kzoo.presets.shipped import choices, find_shipped, record_of, shipped_presets
from kzoo.presets.sources import CONFIG, METADATA, PresetFiles, local_files, remote_files
from kzoo.presets.storage import load_weights, serialized, write_preset

# Written by `save_to_preset` itself.
_OWN_METADATA = (
    "keras_version",
    "kzoo_version",
    "parameter_count",
    "date_saved",
    "sha256",
    "stored_as",
)

# Arguments of every Keras model, in its config or not.
_KERAS_ARGUMENTS = ("dtype", "name", "trainable")


class _Presets:
    """The class attribute `presets`."""

    def __get__(self, instance, model_class):
        if instance is not None:
            raise AttributeError("`presets` belongs to the class: use type(model).presets")
        family = model_class.__name__.lower()
        return {
            preset.name if preset.family == family else preset.handle: record_of(preset)
            for preset in shipped_presets(model_class)
        }


class PresetMixin(HasPresets):
    """Gives a Keras model presets; the model is registered with Keras, kzoo's own as `kzoo>...`.

    `presets`, an attribute of the class, maps the name of each preset that comes with kzoo to
    its record, as `kzoo.list_presets` describes it.
    """

    presets = _Presets()

    @classmethod
    def from_preset(cls, preset: str | os.PathLike, load_weights: bool = True, **kwargs) -> Self:
        """Builds a model from a preset.

        Args:
            preset: the name of a preset that comes with kzoo (`"mnist"`, or `"vae/mnist"`, which
                works on a base class too), a folder that `save_to_preset` wrote, or an address:
                `"hf://owner/name"`, `"kaggle://owner/model/framework/variation"` or
                `"https://..."` of a folder. Downloads are cached.
            load_weights: whether to load the weights; `False` starts from new ones.
            **kwargs: constructor arguments that replace the preset's.

        Returns:
            A model of the preset's class, which is `cls` or a subclass. It is not compiled.

        Raises:
            ValueError: for an unknown preset, one of another class, one whose config names
                anything but classes of Keras and kzoo, an argument that the model does not have,
                or weights that are damaged or do not fit.
            FileNotFoundError: if a file of the preset is missing.
            ConnectionError: if a download fails.
            ImportError: if an address needs a package that is not installed.
        """
        files = _files_of(preset, cls)
        config = files.read(CONFIG)
        where = f"{files.location} ({CONFIG})"
        check_config(config, where)
        model_class = object_class(config)
        if model_class is None or not isinstance(config.get("config"), dict):
            raise ValueError(f"{where} does not describe a model of kzoo: {str(config)[:80]}")
        if not issubclass(model_class, cls):
            raise ValueError(
                f"The preset {os.fspath(preset)!r} is a {model_class.__name__}, not a "
                f"{cls.__name__}: use kzoo.{model_class.__name__}.from_preset()."
            )
        model = _build(config, kwargs, where)
        if load_weights:
            _load(model, files)
        return model

    def save_to_preset(
        self: Any, folder: str | os.PathLike, half_precision: bool = False, **metadata
    ) -> None:
        """Writes the model as a preset: its config, its weights and metadata.

        The optimizer's state is not part of a preset; `save("model.keras")` keeps it.

        Args:
            folder: where to write; made if it does not exist. A preset in it is replaced.
            half_precision: stores float32 weights in half the bytes, as float16. `from_preset`
                gives float32 again, with a relative error of at most 2**-11 per weight.
            **metadata: further entries of `metadata.json`, of types that JSON has. `dataset`, a
                TFDS name, and `classifier`, a preset's name, say what `kzoo evaluate` takes.

        Raises:
            ValueError: if the model is not built, is of a class that is not kzoo's or uses layers
                that presets do not allow (nothing is written), if `metadata` has an entry that this
                method writes, or if a weight is beyond the range of float16.
        """
        folder = Path(folder).expanduser().absolute()
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{str(folder)!r} is a file, expected a folder or a new name.")
        for name in _OWN_METADATA:
            if name in metadata:
                raise ValueError(
                    f"Received {name}={metadata[name]!r}, which save_to_preset() writes itself."
                )
        if not self.built:
            raise ValueError(f"{self.name!r} has no weights yet: build or fit it before saving.")
        config = serialized(self)
        try:
            check_config(config, f"The config of {self.name!r}")
        except ValueError as error:
            raise ValueError(f"{error} save('model.keras') takes any model.") from error
        # A copy has no optimizer and no metrics, and shows that the config describes the model.
        copy = _build(config, {}, f"the config of {self.name!r}")
        if [w.shape for w in copy.weights] != [w.shape for w in self.weights]:
            raise ValueError(
                f"The config of {self.name!r} does not describe its weights: a model built from "
                f"it has {len(copy.weights)} of them, of other shapes than these "
                f"{len(self.weights)}."
            )
        copy.set_weights(self.get_weights())
        now = datetime.datetime.now(datetime.UTC)
        facts = {
            "keras_version": keras.__version__,
            "kzoo_version": __version__,
            "parameter_count": self.count_params(),
            "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
        }
        if half_precision:
            facts["stored_as"] = "float16"
        write_preset(folder, copy, config, {**facts, **metadata}, half_precision)


def read_metadata(preset: str | os.PathLike, model_class: type = PresetMixin) -> dict[str, Any]:
    """What a preset's `metadata.json` records.

    Args:
        preset: as in `PresetMixin.from_preset`.
        model_class: the class among whose presets a name is looked up.

    Returns:
        A dict: what `save_to_preset` and `write_model_card` wrote.

    Raises:
        ValueError: for an unknown preset, or a damaged file.
        FileNotFoundError: if the preset has no such file.
        ConnectionError, ImportError: as `from_preset`.
    """
    return _files_of(preset, model_class).read(METADATA)


_load = load_weights  # `from_preset` has an argument of that name


def _files_of(preset: str | os.PathLike, model_class: type) -> PresetFiles:
    if not isinstance(preset, str | os.PathLike):
        raise ValueError(f"Received preset={preset!r}, expected a name, a folder or an address.")
    if isinstance(preset, str):
        if "://" in preset:
            return remote_files(preset)
        shipped = find_shipped(preset, model_class)
        if shipped is not None:
            return local_files(shipped)
    folder = Path(preset).expanduser()
    if folder.is_dir():
        return local_files(folder)
    kind = "a file" if folder.exists() else "neither a folder nor a preset that comes with kzoo"
    raise ValueError(f"{os.fspath(preset)!r} is {kind}. {choices(str(preset), model_class)}")


def _build(config: dict, overrides: dict, where: str) -> Any:
    # A copy: Keras takes entries out of the configs that it reads.
    config = deepcopy(config)
    arguments = config["config"]
    unknown = sorted(set(overrides) - {*arguments, *_KERAS_ARGUMENTS})
    if unknown:
        raise ValueError(
            f"{config['class_name']} has no argument {unknown[0]!r}; it has "
            f"{', '.join(sorted(arguments))}."
        )
    merged = {**config, "config": {**arguments, **overrides}}
    if overrides:
        merged.pop("build_config", None)  # it belongs to the arguments that were replaced
    try:
        return keras.saving.deserialize_keras_object(merged, safe_mode=True)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        # Keras quotes whole configs; the error from which it started says what is wrong.
        cause: BaseException = error
        while cause.__context__ is not None:
            cause = cause.__context__
        raise ValueError(
            f"{where} does not fit {config['class_name']}: {type(cause).__name__}: {cause}"
        ) from error
