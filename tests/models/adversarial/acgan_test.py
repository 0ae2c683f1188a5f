"""Auxiliary classes (ACGAN): losses against NumPy, saving, and the networks that a user gives."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from tests.once import once_but

RNG = np.random.RandomState(0)
IMAGES = RNG.randint(0, 256, (24, 8, 8, 1)).astype("uint8")
LABELS = np.arange(24) % 3
MODELS = [kzoo.GAN, kzoo.LSGAN, kzoo.WGAN, kzoo.WGANGP]


def numpy(x):
    return ops.convert_to_numpy(x)


def tiny(model_class=kzoo.GAN, **kwargs):
    options = {"num_classes": 3, "conditioning": "auxiliary", "width": 4, **kwargs}
    return model_class((8, 8, 1), 4, **options)


def two_layers():
    """A discriminator with five features, which are linear in the image."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(5), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers])


def cross_entropy(features, head, labels):
    """-E log P(c | x) of a linear head, in nats, and its gradient at the log-odds (b, 3)."""
    odds = np.exp(features @ head[0] + head[1])
    p = odds / odds.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(labels)), labels]).mean()
    return loss, (p - np.eye(3)[labels]) / len(labels)


def test_losses_are_equations_2_and_3():
    weight = 0.5
    model = tiny(discriminator=two_layers(), auxiliary_weight=weight)
    x, fake = RNG.uniform(-1, 1, (2, 6, 8, 8, 1))
    labels = np.array([0, 2, 1, 1, 0, 2])
    weights = [w.astype("float64") for w in model.discriminator.get_weights()]
    head = [w.astype("float64") for w in model.class_head.get_weights()]
    of_real, of_fake = (v.reshape(6, 64) @ weights[0] + weights[1] for v in (x, fake))
    values = [(f @ weights[2] + weights[3])[:, 0] for f in (of_real, of_fake)]
    losses = [cross_entropy(f, head, labels) for f in (of_real, of_fake)]

    condition = {"labels": ops.convert_to_tensor(labels.astype("int32"))}
    images = [ops.convert_to_tensor(v.astype("float32")) for v in (x, fake)]
    latents = ops.zeros((6, 4))
    loss, further = model.discriminator_losses(*images, latents, condition, training=False)
    expected = np.log1p(np.exp(-values[0])).mean() + np.log1p(np.exp(values[1])).mean()
    np.testing.assert_allclose(float(numpy(loss)), expected, rtol=1e-5)
    got = float(numpy(further["class_loss"]))
    np.testing.assert_allclose(got, losses[0][0] + losses[1][0], rtol=1e-5)
    np.testing.assert_allclose(float(numpy(further["d_real"])), values[0].mean(), rtol=1e-4)

    np.testing.assert_allclose(float(numpy(model.weighted(further))), weight * got, rtol=1e-5)


def test_both_players_descend_the_cross_entropy():
    """Without an adversarial loss, one step of each by hand; the images are a linear function."""

    class NoGame(kzoo.GAN):
        def discriminator_criterion(self, real, fake):
            return 0.0 * ops.mean(fake)

        def generator_criterion(self, fake):
            return 0.0 * ops.mean(fake)

        def _latents(self, images):
            return ops.convert_to_tensor(latents)

    latents = RNG.normal(size=(6, 4)).astype("float32")
    inputs = [keras.Input((4,)), keras.Input((), dtype="int32")]
    images = keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64, use_bias=False)(inputs[0]))
    generator = keras.Model(inputs, images)
    model = NoGame(
        (8, 8, 1),
        4,
        num_classes=3,
        conditioning="auxiliary",
        auxiliary_weight=2.0,
        generator=generator,
        discriminator=two_layers(),
    )
    x = RNG.uniform(-1, 1, (6, 8, 8, 1)).astype("float32")
    labels = np.array([0, 2, 1, 1, 0, 2])
    b = generator.get_weights()[0].astype("float64")
    w, c, *_ = (v.astype("float64") for v in model.discriminator.get_weights())
    head = [v.astype("float64") for v in model.class_head.get_weights()]
    # The discriminator's step moves the head, and the features by the chain rule.
    step, rows = np.zeros_like(w), np.zeros_like(head[0])
    bias, c_step, total = np.zeros(3), np.zeros(5), 0.0
    for v in (x.reshape(6, 64).astype("float64"), latents.astype("float64") @ b):
        features = v @ w + c
        loss, error = cross_entropy(features, head, labels)
        total, rows = total + loss, rows + features.T @ error
        bias, c_step = bias + error.sum(0), c_step + (error @ head[0].T).sum(0)
        step = step + v.T @ error @ head[0].T
    w, c = w - 0.1 * 2.0 * step, c - 0.1 * 2.0 * c_step
    head = [head[0] - 0.1 * 2.0 * rows, head[1] - 0.1 * 2.0 * bias]
    fake = latents.astype("float64") @ b
    b = b - 0.1 * 2.0 * latents.T @ (cross_entropy(fake @ w + c, head, labels)[1] @ head[0].T @ w.T)

    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    history = model.fit(x, labels, batch_size=6, verbose=0, shuffle=False).history
    np.testing.assert_allclose(history["class_loss"][0], total, rtol=1e-5)
    np.testing.assert_allclose(model.class_head.get_weights()[0], head[0], atol=1e-5)
    np.testing.assert_allclose(model.discriminator.get_weights()[0], w, atol=1e-5)
    np.testing.assert_allclose(generator.get_weights()[0], b, atol=1e-5)


@pytest.mark.parametrize("model_class", once_but([kzoo.GAN], MODELS))
def test_every_gan_trains_is_saved_and_restored(model_class, tmp_path):
    model = tiny(model_class, discriminator_steps=1)
    model.compile()
    history = model.fit(IMAGES, LABELS, batch_size=8, verbose=0).history
    assert np.isfinite(history["class_loss"]).all() and set(history) == set(model.loss_names)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.conditioning == "auxiliary" and loaded.auxiliary_weight == 1.0
    arguments = {"labels": [2, 0, 1], "seed": 0}
    np.testing.assert_array_equal(loaded.generate(**arguments), model.generate(**arguments))
    np.testing.assert_allclose(
        loaded.class_probabilities(IMAGES), model.class_probabilities(IMAGES), atol=1e-6
    )
    assert set(loaded.evaluate(IMAGES, LABELS, verbose=0, return_dict=True)) == set(history)


def test_with_other_options():
    model = tiny(
        generator="dcgan_4x4",
        discriminator="dcgan_4x4",
        spectral_normalization=True,
        augment="translation",
        average_decay=0.9,
        r1=0.1,
        r1_every=1,
        instance_noise=0.1,
    )
    model.compile()
    history = model.fit(IMAGES, LABELS, batch_size=8, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert model.discriminator.input_shape == (None, 8, 8, 1)  # it sees no label


def test_probabilities_of_classes():
    model = tiny()
    kernel, bias = model.class_head.get_weights()
    model.class_head.set_weights([0 * kernel, np.log([0.5, 0.25, 0.25]).astype("float32")])
    rows = model.class_probabilities(IMAGES[:2])
    np.testing.assert_allclose(rows, [[0.5, 0.25, 0.25]] * 2, rtol=1e-5)
    with pytest.raises(ValueError, match="got num_classes=3 and conditioning='projection'"):
        tiny(conditioning="projection").class_probabilities(IMAGES)


def test_a_model_without_classes_has_no_head():
    model = tiny(num_classes=None)
    assert model.loss_names == ("d_loss", "g_loss") and not hasattr(model, "class_head")


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(ops.reshape(x, (-1, 64)))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)


@pytest.mark.once
@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: tiny(auxiliary_weight=0.0), "auxiliary_weight must be a positive number, got 0.0"),
        (lambda: tiny(kzoo.CFGGAN), "'projection' or 'concatenation', got 'auxiliary': samples"),
        (lambda: tiny(discriminator=Subclassed()), "'auxiliary' needs a discriminator made of lay"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
