import numpy as np
import pytest

from kzoo import GatedPixelCNN, PixelCNN
from kzoo.visualization import completion_sheet, image_grid, receptive_field
from tests.models.autoregressive import pixel_checks


def test_completions_follow_their_image():
    model = pixel_checks.randomize(
        GatedPixelCNN((6, 4, 1), filters=4, num_layers=1, head_filters=4, num_classes=2)
    )
    images = pixel_checks.random_images(3, model)
    labels = [0, 1, 1]
    sheet = completion_sheet(model, images, columns=2, rows=2, seed=0, labels=labels)
    mask = np.zeros((6, 4), bool)
    mask[2:] = True
    drawn = model.complete(images.repeat(2, axis=0), mask, seed=0, labels=np.repeat(labels, 2))
    expected = [part for i in range(3) for part in (images[i], drawn[2 * i], drawn[2 * i + 1])]
    np.testing.assert_array_equal(sheet, image_grid(np.stack(expected), columns=3))


def test_receptive_field_is_the_gradient():
    """Against finite differences of the network's output, in a model without hard corners."""
    model = pixel_checks.randomize(
        GatedPixelCNN((5, 5, 1), levels=256, filters=8, num_layers=1, head_filters=16)
    )
    images = np.full((1, 5, 5, 1), 100, "uint8")
    field = receptive_field(model, 2, 2, images)
    weights = np.linspace(1.0, 2.0, 256)
    step = 2.0  # grey levels

    def output(image):
        parameters = pixel_checks.numpy(model(image))[0, 2, 2, 0]
        return float(parameters.astype("float64") @ weights)

    for place in [(1, 3), (0, 0), (2, 1), (2, 2), (3, 2)]:
        up, down = images.copy(), images.copy()
        up[(0, *place)] += int(step)
        down[(0, *place)] -= int(step)
        slope = (output(up) - output(down)) / (2 * step * 2 / 255)
        assert abs(slope) == pytest.approx(field[place], rel=0.05, abs=2e-3)
    assert field[2, 2] == field[3].max() == 0 and field[1, 3] > 0


def test_the_blind_spot_of_the_pixelcnn():
    """3x3 masked convolutions never reach far right above; two stacks do."""
    images = np.random.default_rng(0).integers(0, 2, (8, 12, 20, 1)).astype("uint8") * 255
    fields = []
    for build in (
        lambda: PixelCNN((12, 20, 1), filters=8, num_blocks=4, head_filters=8),
        lambda: GatedPixelCNN((12, 20, 1), filters=8, num_layers=4, head_filters=8),
    ):
        model = pixel_checks.randomize(build())
        fields.append(receptive_field(model, 10, 8, images) > 0)
    above_right = (9, 8 + 3 + 4)  # one row up: what only the vertical stack sees
    assert fields[1][above_right] and not fields[0][above_right]
    assert fields[1][9, 5:12].all() and fields[0][9, 5:12].all()


def test_wrong_arguments():
    model = PixelCNN((4, 4, 1), filters=2, num_blocks=1, head_filters=2)
    with pytest.raises(ValueError, match="row 4 and column 0"):
        receptive_field(model, 4, 0, np.zeros((1, 4, 4, 1), "uint8"))
    with pytest.raises(ValueError, match="rows must be below the images' height 4, got 4"):
        completion_sheet(model, np.zeros((1, 4, 4, 1), "uint8"), rows=4)
