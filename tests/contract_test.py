"""One contract of data and training: every model x every source of data x Keras's arguments.

The models are those of `kzoo.__all__`; each is made as small as its arguments allow. From equal
weights and random states, every source has to lead to the weights that arrays lead to.
"""

import functools
import gc
import re
import warnings

import keras
import numpy as np
import pytest

import kzoo
from kzoo.models.batches import prepare
from tests.small_models import CLASSES, MODELS, SHAPE, small

COUNT, BATCH = 24, 8


@functools.lru_cache(maxsize=1)  # one process runs all tests of a model, one after the other
def compiled(name, classes):
    """A compiled model and the state in which it was made; every test starts from that state."""
    gc.collect()  # the model before: its programs take gigabytes on TensorFlow
    keras.utils.set_random_seed(1)
    model = small(name, num_classes=classes)
    model.compile()
    return model, [np.array(v) for v in variables_of(model)]


def variables_of(model):
    known = {id(v): v for v in (*model.variables, *model.optimizer.variables)}
    return list(known.values())


def state(model):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables_of(model)]


def parameter(name, classes):
    """A model as a parameter of tests; one process runs all tests of a model."""
    label = name + ("-classes" if classes else "")
    return pytest.param((name, classes), id=label, marks=pytest.mark.xdist_group(label))


@pytest.fixture(params=[parameter(*m) for m in MODELS])
def model(request):
    model, values = compiled(*request.param)
    for variable, value in zip(variables_of(model), values, strict=True):
        variable.assign(value)
    keras.utils.set_random_seed(2)
    return model


def data(count=COUNT):
    rng = np.random.default_rng(3)
    images = np.where(rng.random((count, *SHAPE)) < 0.4, 255, 0).astype("uint8")
    return images, (np.arange(count) % CLASSES).astype("int64")


class Batches(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def batches_of(images, labels, kind):
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        x, y = images[part], labels[part]
        yield {
            "images": (x,),
            "pairs": (x, y),
            "features": {"id": np.arange(len(x)), "image": x, "label": y},
        }[kind]


def loader(images, labels, kind):
    torch = pytest.importorskip("torch")
    rows = list(range(len(images)))

    def collate(chosen):
        (batch,) = batches_of(images[chosen], labels[chosen], kind)
        return keras.tree.map_structure(torch.from_numpy, batch)

    return torch.utils.data.DataLoader(rows, batch_size=BATCH, collate_fn=collate)


def tf_data(images, labels, kind):
    tf = pytest.importorskip("tensorflow")
    tensors = {
        "images": images,
        "pairs": (images, labels),
        "features": {"id": np.array(["x"] * len(images)), "image": images, "label": labels},
    }[kind]
    return tf.data.Dataset.from_tensor_slices(tensors).batch(BATCH)


def arrays(images, labels, kind):
    if kind == "features":
        return {"x": {"label": labels, "image": images}}
    return {"x": images, "y": labels} if kind == "pairs" else {"x": images}


SOURCES = {
    "arrays": arrays,
    "tf.data": lambda *a: {"x": tf_data(*a)},
    "PyDataset": lambda *a: {"x": Batches(list(batches_of(*a)))},
    "DataLoader": lambda *a: {"x": loader(*a)},
    "generator": lambda *a: {"x": batches_of(*a)},
    "ArrayDataset": lambda images, labels, kind: {
        "x": kzoo.datasets.ArrayDataset(
            images, None if kind == "images" else labels, batch_size=BATCH, shuffle=False
        )
    },
}


def kinds(model):
    """The forms in which data may come: labels are taken or ignored, never in the way."""
    return ("pairs", "features") if model.conditioned_on else ("images", "pairs", "features")


def fit(model, given, **options):
    if "y" in given or not hasattr(given["x"], "__next__"):
        options.setdefault("shuffle", False)
    options.setdefault("batch_size", BATCH if hasattr(given["x"], "shape") else None)
    if isinstance(given["x"], dict):
        options["batch_size"] = BATCH
    return model.fit(**given, verbose=0, **options)


@functools.cache
def reference(name, classes):
    """The weights after an epoch of arrays, and what `evaluate` then says."""
    model, values = compiled(name, classes)
    for variable, value in zip(variables_of(model), values, strict=True):
        variable.assign(value)
    images, labels = data()
    fit(model, arrays(images, labels, "pairs" if classes else "images"))
    return state(model)


def key_of(model):
    classes = getattr(model, "num_classes", None) if model.conditioned_on else None
    return type(model).__name__, classes


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_leads_to_the_same_weights(model, source):
    expected = reference(*key_of(model))
    _, start = compiled(*key_of(model))
    for kind in kinds(model):
        if source == "ArrayDataset" and kind == "features":
            continue
        for variable, value in zip(variables_of(model), start, strict=True):
            variable.assign(value)
        given = SOURCES[source](*data(), kind)
        history = fit(model, given)
        assert all(np.isfinite(v).all() for v in history.history.values())
        for got, wanted in zip(state(model), expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=2e-4, atol=2e-5)


class Count(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.epochs[-1] += 1


@pytest.mark.parametrize("source", [s for s in SOURCES if s != "generator"])
def test_finite_data_give_finite_epochs(model, source):
    count = Count()
    given = SOURCES[source](*data(), kinds(model)[0])
    fit(model, given, epochs=2, callbacks=[count])
    updates = COUNT // model.examples_per_step(BATCH)
    assert count.epochs == [updates, updates]


def test_the_same_seed_gives_the_same_order(model):
    images, labels = data()
    results = []
    for seed in (5, 5, 6):
        _, start = compiled(*key_of(model))
        for variable, value in zip(variables_of(model), start, strict=True):
            variable.assign(value)
        keras.utils.set_random_seed(seed)
        fit(model, arrays(images, labels, kinds(model)[0]), shuffle=True)
        results.append(np.concatenate([a.ravel() for a in state(model)]))
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_validation(model):
    images, labels = data(4 * COUNT)
    kind = kinds(model)[0]
    for options in (
        {"validation_split": 0.25},
        {"validation_data": tuple(arrays(images[:BATCH], labels[:BATCH], kind).values())},
        {"validation_data": Batches(list(batches_of(images[:BATCH], labels[:BATCH], "features")))},
    ):
        given = arrays(images, labels, kind)
        history = fit(model, given, validation_batch_size=BATCH, **options).history
        assert {f"val_{name}" for name in model.loss_names} <= set(history)


@pytest.mark.parametrize("kind", ["sample_weight", "class_weight"])
def test_weights_of_examples_count_or_are_refused(model, kind):
    images, labels = data()
    weights = {
        "sample_weight": np.zeros(COUNT, "float32"),
        "class_weight": dict.fromkeys(range(CLASSES), 0.0),
    }
    given = {"x": images, "y": labels}
    if not model.weighs_examples:
        with pytest.raises(ValueError, match="no loss per example"):
            fit(model, given, **{kind: weights[kind]})
        return
    # The start that some models take from the data has no weights.
    model.before_training(images, {c.name: labels for c in model.conditioned_on})
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables]
    fit(model, given, **{kind: weights[kind]})
    for variable, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), value, atol=1e-6)


def test_single_batches(model):
    """`train_on_batch` is one update of `fit`, `test_on_batch` one batch of `evaluate`."""
    size = model.examples_per_step(BATCH)
    images, labels = data(size)
    pair = (images, labels) if model.conditioned_on else (images,)
    fit(model, dict(zip("xy", pair)), batch_size=BATCH)
    expected = state(model)
    _, start = compiled(*key_of(model))
    for variable, value in zip(variables_of(model), start, strict=True):
        variable.assign(value)
    model.before_training(images, {c.name: labels for c in model.conditioned_on})
    logs = model.train_on_batch(*pair, return_dict=True)
    assert set(logs) == set(model.loss_names)
    trained = {id(v) for v in model.trainable_variables}
    for variable, got, wanted in zip(variables_of(model), state(model), expected, strict=True):
        if id(variable) in trained:
            np.testing.assert_allclose(got, wanted, rtol=2e-4, atol=2e-5)
    features = {"image": images, "label": labels}
    assert set(model.test_on_batch(features, return_dict=True)) == set(model.loss_names)
    if model.examples_per_step(1) != 1:
        with pytest.raises(ValueError, match="One training update"):
            model.train_on_batch(*(a[:1] for a in pair))


def test_data_that_do_not_fit(model):
    images, labels = data()
    floats = np.full((COUNT, *SHAPE), np.nan, "float32")
    cases = [
        (images[..., 0], "expects images of shape"),
        (images.transpose(0, 3, 1, 2), "expects images of shape"),
        (images.astype("int32"), "expects uint8 images or floats"),
        (images.astype(str), "expects uint8 images or floats"),
        (images.astype("float32"), r"expects float images in \[-1, 1\]"),
        (floats, r"expects float images in \[-1, 1\]"),
        (images[:0], "got no images"),
        ([images], "takes images as"),
    ]
    for given, message in cases:
        with pytest.raises(ValueError, match=message):
            model.fit(given, labels[: len(given)], verbose=0)
    if model.conditioned_on:
        with pytest.raises(ValueError, match="got no labels"):
            model.fit(images, verbose=0)
        with pytest.raises(ValueError, match="labels must be in"):
            model.fit(images, labels + CLASSES, verbose=0)


@pytest.mark.parametrize("name", ["GAN", "CFGGAN", "VAE"])
@pytest.mark.parametrize("kind", ["PyDataset", "generator"])
def test_a_later_batch_that_is_not_a_number_does_not_reach_the_weights(name, kind):
    model, _ = compiled(name, None)
    good = np.linspace(-1, 1, BATCH * 64, dtype="float32").reshape(BATCH, *SHAPE)
    batches = [(good,)] * 3 + [(np.full_like(good, np.nan),)]
    source = Batches(batches) if kind == "PyDataset" else (batch for batch in batches)
    with pytest.raises(Exception, match=r"\[-1, 1\]"):
        model.fit(source, verbose=0)
    assert all(np.isfinite(a).all() for a in state(model))


def test_values_that_are_probably_wrong_are_named_once(model):
    rng = np.random.default_rng(4)
    labels = np.arange(COUNT) % CLASSES
    floats = rng.integers(0, 256, (COUNT, *SHAPE)) / np.float32(255)
    binary = (floats > 0.5).astype("uint8")
    model.__dict__.pop("_kzoo_warnings", None)
    for images, message in (
        (floats, r"expected \[-1, 1\], black being -1"),
        (binary, "only 0 and 1"),
    ):
        for given in ((images, labels), (Batches([(images, labels)]), None)):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                prepare(model, *given)
            assert len(caught) == (given[1] is not None), [str(w.message) for w in caught]
            assert all(re.search(message, str(w.message)) for w in caught)
    model.__dict__.pop("_kzoo_warnings", None)
