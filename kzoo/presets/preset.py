"""`from_preset` and `save_to_preset`, for every model of kzoo."""

import datetime
import os
import tempfile
from pathlib import Path
from typing import Any, Self

import keras

from kzoo import __version__
from kzoo.checks import check_dtype, check_keywords
from kzoo.configs import constructor_arguments, keras_arguments
from kzoo.paths import check_path, check_writable
from kzoo.presets.hub import push_folder
from kzoo.presets.limits import MOST_PARAMETERS, at_most, check_listed
from kzoo.presets.safety import HasPresets, check_config, object_class
from kzoo.presets.shipped import files_of, record_of, shipped_presets
from kzoo.presets.sources import CONFIG, METADATA, PresetFiles, short
from kzoo.presets.storage import serialized, without_training, write_preset
from kzoo.presets.weights_file import find_weights
from kzoo.presets.weights_file import load_weights as load_into

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

# How often a preset is read again because another process replaced it meanwhile.
_READS = 100


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
    """Gives a Keras model presets. Its class must be registered with Keras (kzoo's: `kzoo>...`).

    `presets`, an attribute of the class, maps the name of each preset that comes with kzoo to
    its record, as `kzoo.list_presets` describes it.
    """

    presets = _Presets()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Checks what a subclass does not take itself: the arguments of every Keras model."""
        names = constructor_arguments(type(self))
        others = (*keras_arguments(), "inputs", "outputs")  # the last two of a functional model
        check_keywords(type(self).__name__, kwargs, names, others)
        if isinstance(kwargs.get("dtype"), str):
            check_dtype(kwargs["dtype"])
        super().__init__(*args, **kwargs)

    @classmethod
    def from_preset(
        cls,
        preset: str | os.PathLike,
        load_weights: bool = True,
        sha256: str | None = None,
        **kwargs,
    ) -> Self:
        """Builds a model from a preset.

        Args:
            preset: the name of a preset that comes with kzoo (`"mnist"`, or `"vae/mnist"`, which
                works on a base class too), a folder that `save_to_preset` wrote, or an address:
                `"hf://owner/name"`, `"kaggle://owner/model/framework/variation"` or
                `"https://..."` of a folder. Downloads are cached.
            load_weights: whether to load the weights; `False` starts from new ones.
            sha256: the hash that the weights file must have. By default it is the one in
                `metadata.json`, which comes from the same place; downloads need one of the two.
            **kwargs: constructor arguments that replace the preset's.

        Returns:
            A model of the preset's class, which is `cls` or a subclass. It is not compiled.

        Raises:
            ValueError: for an unknown preset, one of another class, one whose config names
                anything but classes of Keras and kzoo or describes a model of more parameters
                than the metadata list, an argument that the model does not have, or weights that
                are damaged or do not fit.
            FileNotFoundError: if a file of the preset is missing.
            ConnectionError: if a download fails.
            ImportError: if an address needs a package that is not installed.
        """
        files = files_of(preset, cls)
        for _ in range(_READS):
            version = files.version()
            try:
                model = cls._read_preset(preset, files, load_weights, sha256, kwargs)
            except (ValueError, OSError):
                if files.version() == version:
                    raise
            else:
                if files.version() == version:
                    return model
        raise ValueError(f"{files.location} was replaced {_READS} times while it was read.")

    @classmethod
    def _read_preset(cls, preset, files, load_weights, sha256, kwargs):
        config, metadata = files.read(CONFIG), files.read(METADATA)
        where = f"{files.location} ({CONFIG})"
        check_config(config, where)
        _class_of(config, preset, where, cls)
        parameters = check_listed(metadata.get("parameter_count"), f"{files.location} ({METADATA})")
        weights = find_weights(files, metadata, parameters, sha256) if load_weights else None
        # Other arguments than the preset's may make another number of parameters.
        model = _build(config, kwargs, where, MOST_PARAMETERS if kwargs else parameters)
        if weights is not None:
            load_into(model, weights, parameters)
        return model

    def save_to_preset(
        self: Any, folder: str | os.PathLike, half_precision: bool = False, **metadata
    ) -> None:
        """Writes the model as a preset: its config, its weights and metadata.

        The optimizer's state is not part of a preset; `save("model.keras")` keeps it.

        Args:
            folder: where to write; made if it does not exist. A preset in it is replaced.
            half_precision: stores float32 weights as float16, compressed, in less than half the
                bytes. `from_preset` gives float32 again, with a relative error of at most 2**-11
                per weight.
            **metadata: further entries of `metadata.json`, of types that JSON has. `kzoo evaluate`
                reads `trained_on={"data": "mnist", "split": "train", "num_images": 60_000}`, a TFDS
                data set and what was used of it (or `dataset="mnist"`, the name alone), and
                `classifier`, a preset's name.

        Raises:
            ValueError: if the model is not built, is of a class that is not kzoo's, uses layers
                that presets do not allow or has more than 2**29 parameters, if `metadata` has an
                entry that this method writes, or if a weight is not a finite number or beyond the
                range of float16. Nothing is written then.
        """
        path = check_path("folder", folder).absolute()
        check_writable(path)
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
        parameters = check_listed(self.count_params(), f"The model {self.name!r}")
        copy = _build(config, {}, f"The config of {self.name!r}", parameters)
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
            "parameter_count": parameters,
            "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
        }
        if half_precision:
            facts["stored_as"] = "float16"
        write_preset(path, copy, config, {**facts, **metadata}, half_precision)

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool = False,
        token: str | None = None,
        license: str | None = None,
        half_precision: bool = False,
        **metadata,
    ) -> str:
        """Uploads the model to the Hugging Face Hub as a preset, with a card.

        `kzoo.presets.push_folder` uploads a preset that is written already, with its pictures.

        Args:
            repository, private, token, license: as in `kzoo.presets.push_folder`.
            half_precision, **metadata: as in `save_to_preset`; `title` and `description` are on
                the card.

        Returns:
            The address for `from_preset`, "hf://user/name".

        Raises:
            ValueError: as `save_to_preset`, and for a malformed name.
            ImportError, ConnectionError: as `kzoo.presets.push_folder`.
        """
        with tempfile.TemporaryDirectory() as scratch:
            self.save_to_preset(Path(scratch) / "preset", half_precision, **metadata)
            options: dict[str, Any] = {"private": private, "token": token, "license": license}
            return push_folder(Path(scratch) / "preset", repository, **options)


def check_class(preset: str | os.PathLike, model_class: type) -> PresetFiles:
    """The files of a preset, which is one of a class or of its subclasses.

    Args:
        preset: as in `PresetMixin.from_preset`.
        model_class: the class.

    Raises:
        ValueError: for an unknown preset, one of another class, or a damaged file.
        FileNotFoundError, ConnectionError, ImportError: as `from_preset`.
    """
    files = files_of(preset, model_class)
    _class_of(files.read(CONFIG), preset, f"{files.location} ({CONFIG})", model_class)
    return files


def _class_of(config: dict, preset: str | os.PathLike, where: str, model_class: type) -> type:
    found = object_class(config)
    if found is None or not isinstance(config.get("config"), dict):
        raise ValueError(f"{where} does not describe a model of kzoo: {short(config)}")
    if not issubclass(found, model_class):
        raise ValueError(
            f"The preset {os.fspath(preset)!r} is a {found.__name__}, not a "
            f"{model_class.__name__}: use kzoo.{found.__name__}.from_preset()."
        )
    return found


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
    return files_of(preset, model_class).read(METADATA)


def _build(config: dict, overrides: dict, where: str, parameters: int) -> Any:
    # A copy: Keras takes entries out of the configs that it reads.
    config = without_training(config)
    arguments = config["config"]
    check_keywords(config["class_name"], overrides, sorted(arguments), _KERAS_ARGUMENTS)
    merged = {**config, "config": {**arguments, **overrides}}
    if overrides:
        merged.pop("build_config", None)  # it belongs to the arguments that were replaced
    try:
        with at_most(parameters):
            return keras.saving.deserialize_keras_object(merged, safe_mode=True)
    except Exception as error:  # Keras and each backend have their own errors
        # Keras quotes whole configs; the error from which it started says what is wrong.
        cause: BaseException = error
        while not cause.__suppress_context__ and cause.__context__ is not None:
            cause = cause.__context__
        kind = "" if isinstance(cause, ValueError) else f"{type(cause).__name__}: "
        raise ValueError(
            f"{where} does not fit {config['class_name']}: {kind}{short(cause)}"
        ) from error
