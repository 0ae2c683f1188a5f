"""How models are measured: protocols and scores, above the models.

Which scores a model gets depends on its methods. `kzoo.evaluation.measuring.measure` uses every
protocol whose methods the model has:

* `log_likelihood(images)`, nats (n,): the likelihood of test images. With `elbo(images)` beside it,
  `log_likelihood` is an estimate from `num_samples` latents, and the bound is a score of its own;
  `elbo_terms` and `active_units` add the bound's two terms and the latents in use.
* `generate(num_samples, seed)`: inception score, diversity score and Frechet distance of samples,
  for a model without a likelihood. For colour samples also the scores of
  `kzoo.evaluation.judge`, on the features of one classifier for all data sets.
  A model with `labels` among its conditions also gets the accuracy of the classes that were asked
  for and the Frechet distance within them, by a classifier of the same classes.
* `reconstruct(images)`, floats in [-1, 1]: the error of reconstructed test images, for a model
  without a likelihood; `reconstruction_error` adds the loss that the model is trained with.
* `generate(sources=...)`, of a model with `source_keys`, which learns pairs of images: how near the
  images are to the targets of test pairs (L1, PSNR, SSIM), and the Frechet distance between the
  two.
* `translate(images, to)` as well, to "b" and "a": how near images are to themselves after they were
  translated to the other domain and back, and the Frechet distance of translations to a.
* `encode_to_codes`, `decode_codes` and `prior_images`: reconstructions through discrete codes, and
  the bits of the codes under their prior.
* `activations(images)`: the accuracy of a classifier.

So a new model is scored by its methods, and nothing here names its class. A new kind of score is a
function and a line in `kzoo.evaluation.measuring.PROTOCOLS`.

Other methods and properties that are asked for: `is_binary` (the test images are then binarized),
`conditioned_on` (with labels among them, the test images come with their labels) and
`sample_name(**options)` (what the samples of `generate(**options)` are called).

In the functions here, if nothing else is said, `images` are a uint8 array (n, h, w, c), `batches`
an iterable of such arrays, and `labels` an int array (n,), of a multi-label classifier 0 and 1 for
each class, (n, num_classes). `protocol` says what the images are. `classifier` is a
`kzoo.Classifier` or the name of its preset. They return a list of `kzoo.evaluation.scores.Score`;
`class_histogram` beside it is an int array (num_classes,), how many images the classifier takes for
each class. What does not fit the model or the classifier raises a `ValueError`.

`kzoo.metrics` has the Keras metrics.
"""
