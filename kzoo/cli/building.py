"""How `kzoo train` builds a model: its constructor arguments, from the data and from `--set`."""

from kzoo.cli import common, judging, training

# Constructor arguments that follow from the data or from other options of the command.
_NOT_SETTABLE = {
    "image_shape": "it follows from the data (--image-size)",
    "batch_size": "use --batch-size",
    "backbone": "it has no form on the command line",
}


def check_settings(args, model_class):
    """Checks the names given to `--set` and `--classifier`, before any data are read.

    Raises:
        ValueError: if the model has no such argument or it cannot be set here, or if there is no
            such classifier.
    """
    import kzoo
    from kzoo.configs import constructor_arguments
    from kzoo.presets.preset import check_class

    if args.classifier:
        judging.check_classifier(args.classifier)
    if args.preset:
        check_class(args.preset, model_class)
    model = common.with_article(model_class.__name__)
    if args.stages and not hasattr(model_class, "stages_done"):
        raise ValueError(f"--stages: {model} does not train in stages")
    if args.preset and args.set:
        raise ValueError(f"--set {args.set[0][0]}: the preset {args.preset!r} fixes its arguments")
    names = constructor_arguments(model_class, kzoo.GenerativeModel)
    allowed = [name for name in names if name not in _NOT_SETTABLE]
    for name, _ in args.set:
        if name not in allowed:
            why = _NOT_SETTABLE.get(name, f"expected one of {', '.join(allowed)}")
            raise ValueError(f"--set {name}: not an argument to set for {model}: {why}")


def build(model_class, arguments, settings):
    """The model with the arguments that suit the images, and those that the user set."""
    try:
        model = model_class(**{**arguments, **settings})
    except (AttributeError, TypeError) as error:  # a value of a type that the model did not expect
        if not settings:
            raise
        raise ValueError(f"--set {settings}: {error}") from error
    if training.has_prior(model):
        model.set_prior(model.default_prior())
    return model


def check_fits(preset, args, arguments):
    """Checks that a preset's model takes the command's images, labels and batches.

    Args:
        preset: the model.
        args: the command's.
        arguments: the constructor arguments that suit the data.

    Raises:
        ValueError: if its images, its classes or its batch size are others.
    """
    expected = {**arguments, "batch_size": args.batch_size}
    for name in ("image_shape", "num_classes", "batch_size"):
        own = getattr(preset, name, None)
        value = expected.get(name, own)
        if own is not None and own != value:
            raise ValueError(
                f"the preset {args.model}/{args.preset} has {name} {own}, the command {value}"
            )
