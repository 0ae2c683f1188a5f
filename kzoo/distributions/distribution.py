"""What posteriors and priors share."""

import keras


class Distribution(keras.layers.Layer):
    """A family of distributions of latents, computed in float32."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def get_build_config(self):
        """None: the model that takes it builds it."""


def by_name(role, given, base, classes):
    """The distribution of that name, or the one given.

    Args:
        role: "posterior" or "prior".
        given: a name or an object of `base`.
        base: the class of all of them.
        classes: `{name: class}`.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(given, base):
        return given
    if given not in list(classes):
        raise ValueError(
            f"{role} must be one of {', '.join(map(repr, classes))} or a "
            f"kzoo.{role}s.{base.__name__}, got {given!r}."
        )
    return classes[given](name=role)
