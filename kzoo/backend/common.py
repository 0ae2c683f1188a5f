"""What the three backend files share."""


def split_aux(result):
    """Splits what a loss function returned, `loss` or `(loss, aux)`, into `(loss, aux)`."""
    if isinstance(result, tuple):
        loss, aux = result
        return loss, aux
    return result, None


def compiled_cache(instance):
    """The compiled programs of one model, kept with it and out of Keras's attribute tracking."""
    return instance.__dict__.setdefault("_kzoo_compiled", {})
