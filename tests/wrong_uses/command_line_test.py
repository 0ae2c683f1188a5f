"""Mistakes on the command line: each is told in one line, that says what to do, before any work.

No mistake starts a training, draws an image or writes a file. A mistake that the words alone show
is found before images and weights are read.
"""

import shlex

import keras
import pytest

from kzoo.cli import data
from kzoo.models import sampling
from kzoo.presets import preset
from tests.wrong_uses.conftest import TRAINING

# Commands, and what their errors say, parts with `; ` between. The dots `...` stand for the
# training of the fixture, which is done.
COMMAND = [
    ("paint", "invalid choice: 'paint' (choose from 'list', 'train', 'generate'"),
    ("generat gan", "invalid choice: 'generat'"),
    ("--verbose list", "unrecognized arguments: --verbose; see kzoo --help"),
    ("list vae", "unrecognized arguments: vae"),
    ("list --model DALLE", "expected one of Autoencoder, BEGAN, ; got 'DALLE'"),
    ("doctor now", "unrecognized arguments: now"),
    ("show", "the following arguments are required: PRESET; see kzoo show --help"),
    ("generate gan -n 0", "-n: expected an integer >= 1, got '0'"),
    ("generate gan -n -3", "-n: expected an integer >= 1, got '-3'"),
    ("generate gan -n many", "-n: expected an integer >= 1, got 'many'"),
    ("generate gan --seed one", "--seed: expected an integer in 0..2147483647, got 'one'"),
    (
        "generate gan --seed 2147483648",
        "--seed: expected an integer in 0..2147483647, got '2147483648'",
    ),
    ("generate gan -o sheet.jpg", "expected the name of a .png file, got 'sheet.jpg'"),
    ("generate gan -o notes.txt/sheet.png", "-o/--output: 'notes.txt' is a file; a folder"),
    ("generate gan --npz notes.txt/x.npz", "--npz: 'notes.txt' is a file; expected a folder"),
    ("generate gan --npy notes.txt/x.npy", "--npy: 'notes.txt' is a file; expected a folder"),
    ("generate gan --separate notes.txt", "--separate: 'notes.txt' is a file; a folder"),
    ("generate gan --separate a --npz b.npz", "--npz: not allowed with argument --separate"),
    ("generate gan --scale 0.5", "--scale: expected an integer >= 1, got '0.5'"),
    ("generate cfggan --steps -1", "--steps: expected an integer >= 0, got '-1'"),
    ("generate gatedpixelcnn --labels cat", "expected class numbers such as 3 or 3,5, got 'cat'"),
    ("generate pixelcnn --temperature 0", "--temperature: expected a positive number, got '0'"),
    ("generate pixelcnn --temperature nan", "--temperature: expected a positive number, got 'nan'"),
    (
        "generate cyclegan --sources photos --to c",
        "--to: invalid choice: 'c' (choose from 'a', 'b')",
    ),
    ("train", "the following arguments are required: MODEL"),
    ("train texttoimagegan", "a TextToImageGAN is trained in Python: see help(kzoo.Te"),
    ("train vea", "expected one of autoencoder, began, ; vae, ; got 'vea'"),
    ("... --epochs 0", "--epochs: expected an integer >= 1, got '0'"),
    ("... --epochs ten", "--epochs: expected an integer >= 1, got 'ten'"),
    ("... --learning-rate -1", "--learning-rate: expected a positive number, got '-1'"),
    ("... --learning-rate fast", "--learning-rate: expected a positive number, got 'fast'"),
    (
        "... --validation-split 10",
        "--validation-split: expected a number between 0 and 1, got '10'",
    ),
    ("... --image-size 8x8x1", "--image-size: expected N or HEIGHTxWIDTH, got '8x8x1'"),
    ("... --channels 2", "--channels: invalid choice: 2 (choose from 1, 3)"),
    ("... --set latent_dim", "--set: expected NAME=VALUE, got 'latent_dim'"),
    ("evaluate vae --num-images 0", "--num-images: expected an integer >= 1, got '0'"),
    ("evaluate gan --seeds 0", "--seeds: expected an integer >= 1, got '0'"),
    ("neighbors gan --data squares.npz -o sheet.pdf", "expected the name of a .png file"),
    ("export gan --format tensorrt", "--format: invalid choice: 'tensorrt' (choose from 'onnx'"),
    ("demo --port 99999", "--port: expected an integer in 0..65535, got '99999'"),
    ("demo --output notes.txt --write-only", "--output: 'notes.txt' is a file; expected a folder"),
]
WORDS = [
    ("show vae/mnits", "'vae/mnits' is neither a folder nor a preset; Did you mean 'vae/mnist'?"),
    ("show nothing", "'nothing' is neither a folder nor a preset; `kzoo list`; list_presets()"),
    ("show notes.txt", "'notes.txt' is a file, expected the folder or the name of a preset"),
    ("show vae --model gan", "The preset 'vae' is a VAE, not a GAN: use kzoo.VAE.from_preset()"),
    ("generate cfgan/mnist", "Did you mean 'cfggan/mnist'?"),
    ("generate mnist", "Several presets are called 'mnist': use one of; 'cfggan/mnist'"),
    ("generate photos", "photos is not a complete preset: config.json is missing"),
    ("generate ftp://x/y", "Cannot read the preset address 'ftp://x/y': expected hf://owner/name"),
    ("generate classifier", "is a Classifier, not a GenerativeModel: use kzoo.Classifier"),
    ("generate gan --model vae", "The preset 'gan' is a GAN, not a VAE"),
    ("generate captioned --captions absent.txt", "--captions: there is no file 'absent.txt'"),
    ("generate captioned --captions blank.txt", "expected a caption in every line, got none"),
    ("generate pix2pix --sources absent", "--sources: there is no file or folder 'absent'"),
    ("train gan/vae --data squares.npz", "is a VAE, not a GAN"),
    ("train gan/gan --data squares.npz --set width=3", "--set width: the preset 'gan' fixes its"),
    ("... --stages 3", "--stages: a VAE does not train in stages"),
    (
        "... --set latents=3",
        "--set latents: not an argument to set for a VAE: expected one of latent",
    ),
    ("... --set image_shape=3", "--set image_shape: ; it follows from the data (--image-size)"),
    ("... --output notes.txt", "--output: 'notes.txt' is a file, expected a folder"),
    ("... --work notes.txt/run", "--work: 'notes.txt' is a file, expected a folder"),
    (
        "... --classifier ../mine",
        "--classifier ../mine: expected the name of a preset or of a fold",
    ),
    ("... --classifier none", "'none' is neither a folder nor a preset; Shipped presets: 'classif"),
    ("... --classifier gan", "The preset 'gan' is a GAN, not a Classifier"),
    ("... --sources photos", "--sources: a VAE takes none"),
    ("... --data absent.npz", "there is no file or folder 'absent.npz'"),
    ("... --data ./absent", "there is no file or folder './absent'"),
    (
        "train pix2pix --data photos",
        "a folder of images needs the folder of their sources: --sources",
    ),
    (
        "train pix2pix --data squares.npz --sources sources",
        "--sources goes with a folder of images",
    ),
    (
        "train pix2pix --data squares.npz",
        "no sources of pairs among x, y, ; expected one of source",
    ),
    ("evaluate", "expected either a PRESET or --samples FOLDER"),
    ("evaluate gan --samples photos", "expected either a PRESET or --samples FOLDER"),
    ("evaluate nothing", "'nothing' is neither a folder nor a preset"),
    ("evaluate gan --classifier no", "'no' is neither a folder nor a preset"),
    ("evaluate gan --classifier vae", "The preset 'vae' is a VAE, not a Classifier"),
    ("evaluate gan --judge absent.keras", "--judge: there is no file 'absent.keras'"),
    ("evaluate vae --data absent.npz", "there is no file or folder 'absent.npz'"),
    (
        "evaluate gan --seed 2147483647 --seeds 2",
        "--seeds 2: the last seed would be; smaller --seed",
    ),
    ("evaluate hf://a/b --write", "--write needs a preset in a local folder, got 'hf://a/b'"),
    ("evaluate --samples photos", "--samples: name the real images with --data"),
    ("evaluate --samples photos --data photos --write", "--write is for a preset: ; leave it out"),
    (
        "evaluate --samples photos --data photos --judge notes.keras",
        "is damaged, or not a .keras file",
    ),
    ("neighbors gan --data absent.npz", "there is no file or folder 'absent.npz'"),
    ("export gan -o gan.txt", "--output: expected the name of a .onnx file, got 'gan.txt'"),
    ("export gan -o notes.txt/gan.onnx", "--output: 'notes.txt' is a file, expected a folder"),
    ("export gan --format torch --half-precision -o g.pt2", "half_precision is for ONNX files"),
    ("demo --runtime empty --write-only", "The runtime lacks empty/; expected the folder `dist`"),
]
IMAGES = [
    ("... --seed 1", "holds a training with other settings (--seed); give another --work"),
    ("... --set latent_dim=3", "with other settings (the model's latent_dim); give another --work"),
    ("... --epochs 1", "--epochs 1: the training in; has had 2 epochs already; give more than 2"),
    ("... --output gan", "--output: 'gan' holds a preset already, a GAN; --overwrite to replace"),
    ("... --set latent_dim=big", "latent_dim must be a positive integer, got 'big'"),
    ("... --set kl_weight=big", "kl_weight must be 0 or positive, got 'big'"),
    ("... --set widths=3", "widths must be positive integers, such as (16, 32), got 3"),
    ("... --set likelihood=cauchy", "likelihood must be one of ['bernoulli', ; got 'cauchy'"),
    ("... --set encoder=3", "encoder must be a keras.Model, got 3"),
    ("... --set num_classes=2 --output new", "labels must be in 0..1, got values from 0 to 3"),
    ("... --set num_classes=4 --data few.npy", "a .npy file holds no labels"),
    ("... --set num_classes=4 --data lengths.npz", "labels must have one entry per image (12)"),
    ("... --split validation", "no array 'x_validation' among ['x_test', 'x_train', 'y_test'"),
    ("... --data photos --split test", "'photos' has no splits, expected 'train'"),
    ("... --data notes.txt", "cannot read images from the file 'notes.txt', expected .npz or .npy"),
    ("... --data notes.npz", "it is damaged, or not an .npz file"),
    ("... --data notes.npy", "it is damaged, or not a .npy file"),
    ("... --data labels.npz", "no array 'x_train' among ['y_train']"),
    ("... --data numbers.npy", "images must have shape (n, height, width) or; got (5,)"),
    ("... --data empty", "no image files; in 'empty'"),
    ("... --data texts", "no image files; in 'texts'"),
    ("... --data damaged", "cannot read the image 'damaged/0.png'"),
    ("... --data sizes", "images have different sizes; pass image_size (--image-size)"),
    ("... --validation-split 0.001", "leave examples in both parts, got 0.001 of 60"),
    ("... --data mnist --validation-split 0.1", "of the data set 'mnist' name a part with --split"),
    ("train cfggan --data few.npy --set pool_size=64 --set width=2", "One training update; fewer"),
    ("train classifier --data photos", "needs every image in a subfolder of 'photos'"),
    ("train classifier --data halves.npz", "expected labels that are class numbers 0, 1, ..., one"),
    (
        "train classifier --data squares.npz",
        "features and needs more images than that; give more images",
    ),
    ("train pix2pix --data photos --sources sources", "there are 7 images without sources: 05, 06"),
    (
        "train gan --data photos --set augment=blur",
        "augment must name policies of 'color', ; 'blur'",
    ),
    ("train gan --data photos --set generator=unet", "keras.Model or one of 'dcgan', ; got 'unet'"),
    ("train gan --data photos --set average_decay=2", "must be at least 0 and below 1, got 2"),
    ("train gan --data photos --set r1=big", "r1 must be 0 or positive, got 'big'"),
    ("train pixelcnn --data photos --set levels=300", "levels must be in 2..256, got 300"),
]
MODEL = [
    ("generate autoencoder", "autoencoder: an Autoencoder reconstructs images and draws none"),
    ("generate gan --steps 1", "--steps: a GAN takes none"),
    ("generate cfggan --steps 3", "steps must be an int in 0 .. 2, got 3"),
    ("generate gan --labels 1", "--labels: a GAN takes none"),
    ("generate gatedpixelcnn --labels 4", "labels must be in 0..3, got values from 4 to 4"),
    ("generate gan --temperature 0.5", "--temperature: a GAN takes none"),
    ("generate gan --captions dark", "--captions: a GAN takes none"),
    ("generate captioned", "captioned: a TextToImageGAN needs captions: --captions"),
    ("generate captioned --captions 'blue bee'", "knows no word of the caption 'blue bee'"),
    ("generate pix2pix", "pix2pix: a Pix2Pix needs sources: --sources"),
    ("generate pix2pix --sources empty", "no image files; in 'empty'"),
    ("generate pix2pix --sources notes.txt", "cannot read the image 'notes.txt'"),
    ("generate pix2pix --to a --sources photos", "--to: a Pix2Pix takes none"),
    ("generate gan --sources photos", "--sources: a GAN takes none"),
    ("train gan/gan --data rgb.npz", "has image_shape (8, 8, 1), the command (8, 8, 3)"),
    ("train cfggan/cfggan --data squares.npz --batch-size 5", "has batch_size 4, the command 5"),
    ("evaluate gan", "name one with --classifier (kzoo train classifier makes one)"),
    ("evaluate vae", "does not record what its model was trained on: name images with --data"),
    (
        "evaluate vae --data squares.npz --split tset",
        "no array 'x_tset' among ['x_test', 'x_train'",
    ),
    ("evaluate vae --data squares.npz --steps 2", "--steps: a VAE takes none"),
    ("evaluate gan --classifier classifier --data photos", "'photos' has no images beside; x_test"),
    ("evaluate captioned --classifier classifier --data squares.npz", "needs captions: --captions"),
    ("neighbors gan", "does not record what its model was trained on: name images with --data"),
    (
        "neighbors autoencoder --data squares.npz",
        "an Autoencoder reconstructs images and draws none",
    ),
    (
        "neighbors pix2pix --data squares.npz",
        "a Pix2Pix draws images for sources, which this command",
    ),
    (
        "neighbors gan --data squares.npz --num-neighbors 100",
        "--num-neighbors: expected at most 60",
    ),
]


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def too_late(*args, **kwargs):
    raise AssertionError("the mistake could be known before")


@pytest.fixture
def mistake(kzoo_main, original, monkeypatch):
    """Runs a command; checks how its mistake is told, and that no work was done before."""

    def run(line, words, code):
        if "--format torch" in line and keras.backend.backend() != "torch":
            pytest.skip("only PyTorch writes this format")
        monkeypatch.chdir(original)
        monkeypatch.setattr(keras.Model, "fit", too_late)
        monkeypatch.setattr(sampling, "check_drawn", too_late)
        before = files(original)
        got, out, err = kzoo_main(*shlex.split(line.replace("...", TRAINING)))
        assert (got, out) == (code, ""), err
        assert err.count("\n") == 1 and "Traceback" not in err and len(err) < 600, err
        assert all(part in err for part in words.split("; ")), err
        assert files(original) == before

    return run


@pytest.mark.parametrize(("line", "words"), COMMAND)
def test_wrong_words_are_found_first(mistake, monkeypatch, line, words):
    monkeypatch.setattr("kzoo.cli.common.import_keras", too_late)
    mistake(line, words, 2)


@pytest.mark.parametrize(("line", "words"), WORDS)
def test_neither_images_nor_weights_are_read(mistake, monkeypatch, line, words):
    monkeypatch.setattr(data, "open_data", too_late)
    monkeypatch.setattr(preset, "load_into", too_late)
    mistake(line, words, 1)


@pytest.mark.parametrize(("line", "words"), IMAGES)
def test_images_that_do_not_fit(mistake, monkeypatch, line, words):
    monkeypatch.setattr(preset, "load_into", too_late)
    mistake(line, words, 1)


@pytest.mark.parametrize(("line", "words"), MODEL)
def test_models_that_do_not_take_it(mistake, line, words):
    mistake(line, words, 1)


def test_the_cases_are_many_and_distinct():
    lines = [line for cases in (COMMAND, WORDS, IMAGES, MODEL) for line, _ in cases]
    assert len(set(lines)) == len(lines) >= 60
