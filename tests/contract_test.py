"""One contract of data and training: every model x every source of data x Keras's arguments.

The models are those of `kzoo.__all__`; each is made as small as its arguments allow. From equal
weights and random states, every source has to lead to the weights that arrays lead to.

All of it is tried on one backend. On the others, one model of each way to read data and to train is
tried with all, and further ones with two sources: a program for each takes the time there.
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
from tests.once import once
from tests.small_models import CLASSES, MODELS, SHAPE, beside, small

COUNT, BATCH = 24, 8

#: Tried with everything on every backend: one loss, two networks, stages; labels, images, captions.
WHOLE = [
    ("Autoencoder", None),
    ("GAN", None),
    ("CFGGAN", None),
    ("GAN", CLASSES),
    ("Pix2Pix", None),
    ("TextToImageGAN", None),
]
#: Tried with two sources on every backend: they have an update of their own.
IN_PART = ["BEGAN", "LadderVAE", "PixelCNN", "PixelRNN", "VAE", "VQVAE", "WGANGP"]
IN_PART = [(name, None) for name in (*IN_PART, "TextImageEncoder")]


@functools.lru_cache(maxsize=1)  # one process runs all tests of a model, one after the other
def compiled(name, classes):
    """A compiled model and the state in which it was made; every test starts from that state."""
    gc.collect()  # the model before: its programs take gigabytes on TensorFlow
    keras.utils.set_random_seed(1)
    model = small(name, num_classes=classes)
    # With Adam, which has many operations per weight, programs take twice as long to make.
    optimizers = {key: keras.optimizers.SGD(0.01) for key in model.default_optimizers()}
    model.compile(**optimizers)
    return model, [np.array(v) for v in variables_of(model)]


def variables_of(model):
    known = {id(v): v for v in (*model.variables, *model.optimizer.variables)}
    return list(known.values())


def state(model):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables_of(model)]


def parameter(name, classes, everywhere=WHOLE):
    """A model as a parameter of tests; one process runs all tests of a model."""
    label = name + ("-classes" if classes else "")
    marks = [pytest.mark.xdist_group(label)]
    if (name, classes) not in everywhere:
        marks.append(pytest.mark.once)
    return pytest.param((name, classes), id=label, marks=marks)


def from_the_start(name, classes):
    model, values = compiled(name, classes)
    for variable, value in zip(variables_of(model), values, strict=True):
        variable.assign(value)
    keras.utils.set_random_seed(2)
    return model


@pytest.fixture(params=[parameter(*m) for m in MODELS])
def model(request):
    return from_the_start(*request.param)


@pytest.fixture(params=[parameter(*m, [*WHOLE, *IN_PART]) for m in MODELS])
def trained_model(request):
    return from_the_start(*request.param)


@pytest.fixture(params=[parameter(name, None) for name, classes in MODELS if classes is None])
def plain_model(request):
    """For what a condition has no part in: models without classes only."""
    return from_the_start(*request.param)


def data(model, count=COUNT):
    """`(images, values)`: the values are those of the model's condition, or else labels."""
    rng = np.random.default_rng(3)
    images = np.where(rng.random((count, *SHAPE)) < 0.4, 255, 0).astype("uint8")
    return images, beside(model, count)[1]


class Batches(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def in_form(kind, images, values, further):
    """Images and values as `kind` has them: one of "images" and "pairs", or a feature's name."""
    forms = {"images": (images,), "pairs": (images, values)}
    return forms.get(kind) or {"id": further, "image": images, kind: values}


def batches_of(images, values, kind):
    for start in range(0, len(images), BATCH):
        x, y = images[start : start + BATCH], values[start : start + BATCH]
        yield in_form(kind, x, y, np.arange(len(x)))


def loader(images, values, kind):
    torch = pytest.importorskip("torch")
    rows = list(range(len(images)))

    def collate(chosen):
        (batch,) = batches_of(images[chosen], values[chosen], kind)
        return keras.tree.map_structure(torch.from_numpy, batch)

    return torch.utils.data.DataLoader(rows, batch_size=BATCH, collate_fn=collate)


def tf_data(images, values, kind):
    tf = pytest.importorskip("tensorflow")
    tensors = in_form(kind, images, values, np.array(["x"] * len(images)))
    tensors = tensors[0] if kind == "images" else tensors
    return tf.data.Dataset.from_tensor_slices(tensors).batch(BATCH)


def arrays(images, values, kind):
    if kind in ("images", "pairs"):
        return dict(zip("xy", in_form(kind, images, values, None)))
    return {"x": {kind: values, "image": images}}


SOURCES = {
    "arrays": arrays,
    "tf.data": lambda *a: {"x": tf_data(*a)},
    "PyDataset": lambda *a: {"x": Batches(list(batches_of(*a)))},
    "DataLoader": lambda *a: {"x": loader(*a)},
    "generator": lambda *a: {"x": batches_of(*a)},
    "ArrayDataset": lambda images, values, kind: {
        "x": kzoo.datasets.ArrayDataset(
            images, None if kind == "images" else values, batch_size=BATCH, shuffle=False
        )
    },
}


def kinds(model):
    """The forms in which data may come: labels are taken or ignored, never in the way."""
    name, _ = beside(model, 1)
    return ("pairs", name) if model.conditioned_on else ("images", "pairs", name)


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
    fit(model, arrays(*data(model), kinds(model)[0]))
    return state(model)


def key_of(model):
    classes = getattr(model, "num_classes", None) if model.conditioned_on else None
    return type(model).__name__, classes


def combinations(model):
    """Pairs of source and kind of data: arrays of every kind, and every source with some kind.

    How a batch is read does not depend on where it comes from, so not all pairs are tried. A model
    with classes reads its data as the one without does, and its labels by one mechanism for all.
    """
    forms = kinds(model)
    whole = key_of(model) in WHOLE or keras.backend.backend() == "torch"
    if key_of(model)[1] or not whole:
        yield from (("arrays", forms[-1]), ("tf.data", forms[0]))
        return
    yield from (("arrays", kind) for kind in forms)
    others = [source for source in SOURCES if source != "arrays"]
    for number, source in enumerate(others):
        kind = forms[number % len(forms)]
        yield source, kind if source != "ArrayDataset" or kind == "images" else "pairs"


class Count(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.updates = 0

    def on_train_batch_end(self, batch, logs=None):
        self.updates += 1


def test_every_source_leads_to_the_same_weights_after_a_finite_epoch(trained_model):
    model = trained_model
    expected = reference(*key_of(model))
    _, start = compiled(*key_of(model))
    for source, kind in combinations(model):
        for variable, value in zip(variables_of(model), start, strict=True):
            variable.assign(value)
        count = Count()
        history = fit(model, SOURCES[source](*data(model), kind), callbacks=[count])
        assert count.updates == COUNT // model.examples_per_step(BATCH), source
        assert all(np.isfinite(v).all() for v in history.history.values())
        for got, wanted in zip(state(model), expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=2e-4, atol=2e-5, err_msg=source)


@pytest.mark.parametrize("source", ["arrays", "PyDataset"])
@pytest.mark.parametrize("name", ["GAN", once("WGANGP"), "CFGGAN"])
def test_a_second_epoch_has_as_many_updates(name, source):
    model, count = from_the_start(name, None), Count()
    fit(model, SOURCES[source](*data(model), "images"), epochs=2, callbacks=[count])
    assert count.updates == 2 * (COUNT // model.examples_per_step(BATCH))


def test_the_same_seed_gives_the_same_order(plain_model):
    model = plain_model
    images, values = data(model)
    results = []
    for seed in (5, 5, 6):
        _, start = compiled(*key_of(model))
        for variable, value in zip(variables_of(model), start, strict=True):
            variable.assign(value)
        keras.utils.set_random_seed(seed)
        fit(model, arrays(images, values, kinds(model)[0]), shuffle=True)
        results.append(np.concatenate([a.ravel() for a in state(model)]))
    # Not bit for bit: the last one may depend on where in memory a tensor lies.
    bounds = {"rtol": 1e-5, "atol": 1e-8}
    np.testing.assert_allclose(results[0], results[1], **bounds)
    assert not np.allclose(results[0], results[2], **bounds)


def test_validation(plain_model):
    model = plain_model
    images, values = data(model, 4 * BATCH)
    kind = kinds(model)[0]
    for options in (
        {"validation_split": 0.5},
        {"validation_data": tuple(arrays(images[:BATCH], values[:BATCH], kind).values())},
        {
            "validation_data": Batches(
                list(batches_of(images[:BATCH], values[:BATCH], kinds(model)[-1]))
            )
        },
    ):
        given = arrays(images, values, kind)
        history = fit(model, given, validation_batch_size=BATCH, **options).history
        assert {f"val_{name}" for name in model.loss_names} <= set(history)


@pytest.mark.parametrize("kind", ["sample_weight", "class_weight"])
def test_weights_of_examples_count_or_are_refused(plain_model, kind):
    model = plain_model
    images, values = data(model)
    weights = {
        "sample_weight": np.zeros(COUNT, "float32"),
        "class_weight": dict.fromkeys(range(CLASSES), 0.0),
    }
    given = {"x": images, "y": values}
    if not model.weighs_examples:
        with pytest.raises(ValueError, match="no loss per example"):
            fit(model, given, **{kind: weights[kind]})
        return
    # The start that some models take from the data has no weights.
    model.before_training(images, {c.name: values for c in model.conditioned_on})
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables]
    fit(model, given, **{kind: weights[kind]})
    for variable, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), value, atol=1e-6)


@pytest.mark.parametrize("classes", [None, CLASSES])
@pytest.mark.parametrize("kind", ["pairs", "label"])
@pytest.mark.parametrize("source", ["arrays", "tf.data", "PyDataset", "DataLoader"])
@pytest.mark.once
def test_class_weights_find_the_labels_of_every_source(source, kind, classes):
    model = from_the_start("VAE", classes)
    images = data(model)[0]
    labels = (np.arange(COUNT) % CLASSES).astype("int64")
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables]
    nothing = dict.fromkeys(range(CLASSES), 0.0)
    fit(model, SOURCES[source](images, labels, kind), class_weight=nothing)
    for variable, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)


@pytest.mark.parametrize("source", ["arrays", "tf.data", "PyDataset"])
@pytest.mark.parametrize("kind", ["images", "number"])
@pytest.mark.once
def test_class_weights_without_labels_are_refused(source, kind):
    model = from_the_start("VAE", None)
    images = data(model)[0]
    given = SOURCES[source](images, np.arange(COUNT), kind)
    with pytest.raises(ValueError, match="expected the images' labels as y or as the feature"):
        fit(model, given, class_weight={0: 1.0})


@pytest.mark.once
def test_class_weights_are_refused_where_the_condition_is_no_class():
    model = kzoo.PixelCNN(SHAPE, filters=4, num_blocks=1, head_filters=4, context_features=2)
    model.compile()
    images = data(model)[0]
    context = np.zeros((COUNT, *SHAPE[:2], 2), "float32")
    with pytest.raises(ValueError, match="conditioned on context"):
        model.fit(images, context, class_weight={0: 1.0})


def test_single_batches(plain_model):
    """`train_on_batch` is one update of `fit`, `test_on_batch` one batch of `evaluate`."""
    model = plain_model
    size = model.examples_per_step(BATCH)
    images, values = data(model, size)
    pair = (images, values) if model.conditioned_on else (images,)
    fit(model, dict(zip("xy", pair)), batch_size=BATCH)
    expected = state(model)
    _, start = compiled(*key_of(model))
    for variable, value in zip(variables_of(model), start, strict=True):
        variable.assign(value)
    model.before_training(images, {c.name: values for c in model.conditioned_on})
    logs = model.train_on_batch(*pair, return_dict=True)
    assert set(logs) == set(model.loss_names)
    trained = {id(v) for v in model.trainable_variables}
    for variable, got, wanted in zip(variables_of(model), state(model), expected, strict=True):
        if id(variable) in trained:
            np.testing.assert_allclose(got, wanted, rtol=2e-4, atol=2e-5)
    features = {"image": images, kinds(model)[-1]: values}
    assert set(model.test_on_batch(features, return_dict=True)) == set(model.loss_names)
    if model.examples_per_step(1) != 1:
        with pytest.raises(ValueError, match="One training update"):
            model.train_on_batch(*(a[:1] for a in pair))


def test_data_that_do_not_fit(model):
    images, values = data(model)
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
            model.fit(given, values[: len(given)], verbose=0)
    if model.conditioned_on:
        with pytest.raises(ValueError, match=f"got no {model.conditioned_on[0].name}"):
            model.fit(images, verbose=0)
    if key_of(model)[1]:
        with pytest.raises(ValueError, match="labels must be in"):
            model.fit(images, values + CLASSES, verbose=0)


@pytest.mark.parametrize("name", ["GAN", "CFGGAN", once("VAE")])
@pytest.mark.parametrize("kind", ["PyDataset", "generator"])
def test_a_later_batch_that_is_not_a_number_does_not_reach_the_weights(name, kind):
    model, _ = compiled(name, None)
    good = np.linspace(-1, 1, BATCH * 64, dtype="float32").reshape(BATCH, *SHAPE)
    batches = [(good,)] * 3 + [(np.full_like(good, np.nan),)]
    source = Batches(batches) if kind == "PyDataset" else (batch for batch in batches)
    with pytest.raises(Exception, match=r"\[-1, 1\]"):
        model.fit(source, verbose=0)
    assert all(np.isfinite(a).all() for a in state(model))


@pytest.mark.once
def test_values_that_are_probably_wrong_are_named_once(plain_model):
    model = plain_model
    rng = np.random.default_rng(4)
    _, values = data(model)
    floats = rng.integers(0, 256, (COUNT, *SHAPE)) / np.float32(255)
    binary = (floats > 0.5).astype("uint8")
    model.__dict__.pop("_kzoo_warnings", None)
    for images, message in (
        (floats, r"expected \[-1, 1\], black being -1"),
        (binary, "only 0 and 1"),
    ):
        for given in ((images, values), (Batches([(images, values)]), None)):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                prepare(model, *given)
            named = [w for w in caught if re.search(message, str(w.message))]
            assert len(named) == (given[1] is not None), [str(w.message) for w in caught]
    model.__dict__.pop("_kzoo_warnings", None)
