"""Algorithms 1, 2 and 3 of arXiv:1801.06309 written down once more, in NumPy and float64.

The networks have one hidden layer, so that their gradients fit on a page. The latents, the images
that a discriminator update draws from the pool and the order of the epochs are given.
"""

import numpy as np

SHAPE, PIXELS, LATENT_DIM, STAGES = (2, 2, 1), 4, 3, 3
SETTINGS = {
    "num_steps": 3,
    "discriminator_steps": 2,
    "step_size": 0.3,
    "pool_size": 12,
    "batch_size": 4,
    "approximator_epochs": 4,
}
RANDOM = np.random.RandomState(0)
LATENTS = RANDOM.normal(size=(STAGES, SETTINGS["pool_size"], LATENT_DIM))
REAL = np.tanh(RANDOM.normal(0.5, 0.5, (STAGES, 3 * 2 * 12, PIXELS)))  # as many as any case takes
ORDER = RANDOM.permutation(SETTINGS["pool_size"])
WEIGHTS = {
    name: [RANDOM.normal(0, 0.7, shape) for shape in ((inputs, 5), 5, (5, outputs), outputs)]
    for name, inputs, outputs in (
        ("discriminator", PIXELS, 1),
        ("approximator", LATENT_DIM, PIXELS),
    )
}
FRESH = RANDOM.normal(size=(STAGES, 3 * 2, SETTINGS["batch_size"], LATENT_DIM))  # for D's updates


class Network:
    """tanh(x W + b) V + c in float64."""

    def __init__(self, weights):
        self.weights = [w.copy() for w in weights]

    def __call__(self, x):
        w, b, v, c = self.weights
        return np.tanh(x @ w + b) @ v + c

    def gradients(self, x, upstream):
        """Of sum(upstream * f(x)), with respect to the weights and to x."""
        w, b, v, _ = self.weights
        hidden = np.tanh(x @ w + b)
        inner = (upstream @ v.T) * (1 - hidden**2)
        return [x.T @ inner, inner.sum(0), hidden.T @ upstream, upstream.sum(0)], inner @ w.T


class SGD:
    def __init__(self, rate):
        self.rate = rate

    def update(self, weights, gradients):
        for w, g in zip(weights, gradients):
            w -= self.rate * g


class RMSprop(SGD):
    """g / sqrt of the average of g^2, weights rho = .95."""

    averages = None

    def update(self, weights, gradients):
        before = self.averages or [0.0] * len(weights)
        self.averages = [0.95 * a + 0.05 * g**2 for a, g in zip(before, gradients)]
        super().update(weights, [g / np.sqrt(a) for g, a in zip(gradients, self.averages)])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


SCALE = {"constant": np.ones_like, "minimax": sigmoid, "non_saturating": lambda d: sigmoid(-d)}


def step(discriminator, x, settings):
    """x + eta s(D(x)) grad D(x), and the root of the mean of ||s grad D||^2."""
    logits = discriminator(x)
    scale = SCALE[settings.get("scaling", "constant")](logits)
    change = scale * discriminator.gradients(x, np.ones_like(logits))[1]
    return x + settings["step_size"] * change, np.sqrt((change**2).sum(1).mean())


def train_discriminator(discriminator, optimizer, real, fake):
    """One update on the mean of -ln sigmoid(D(x)) - ln(1 - sigmoid(D(G(z))))."""
    d_real, d_fake = discriminator(real), discriminator(fake)
    loss = np.mean(np.log1p(np.exp(-d_real))) + np.mean(np.log1p(np.exp(d_fake)))
    of_real, _ = discriminator.gradients(real, -sigmoid(-d_real) / len(real))
    of_fake, _ = discriminator.gradients(fake, sigmoid(d_fake) / len(fake))
    optimizer.update(discriminator.weights, [r + f for r, f in zip(of_real, of_fake)])
    return {"d_loss": loss, "d_real": d_real.mean(), "d_fake": d_fake.mean()}


def distill(approximator, optimizer, latents, targets, settings):
    """Least squares; returns the last epoch's loss and the rate of every epoch."""
    last, cuts, rates = np.inf, 0, []
    initial_rate, size = optimizer.rate, settings["batch_size"]
    for _ in range(settings["approximator_epochs"]):
        optimizer.rate = initial_rate / 10**cuts
        rates.append(optimizer.rate)
        losses = []
        for rows in ORDER.reshape(-1, size):
            error = approximator(latents[rows]) - targets[rows]
            losses.append(0.5 * (error**2).sum() / size)
            gradients, _ = approximator.gradients(latents[rows], error / size)
            optimizer.update(approximator.weights, gradients)
        loss = np.mean(losses)
        cuts += loss > last and cuts < 3
        last = loss
    return loss, rates


def half_squared_distance(pools):
    return 0.5 * ((pools[-1] - pools[0]) ** 2).sum(1).mean()


def algorithm_1(d_rate, settings):
    """Per step t = 1 .. T: D_t from its first weights by U updates, then the step along it."""
    size, updates = settings["batch_size"], settings["discriminator_steps"]
    approximator, grown = Network(WEIGHTS["approximator"]), []
    for t in range(settings["num_steps"]):
        pools = [approximator(LATENTS[t][:size])]  # G_0 .. G_{t-1} of this step's latents
        for discriminator in grown:
            pools.append(step(discriminator, pools[-1], settings)[0])
        discriminator, optimizer = Network(WEIGHTS["discriminator"]), SGD(d_rate)
        for real in REAL[t][: updates * size].reshape(updates, size, PIXELS):
            losses = train_discriminator(discriminator, optimizer, real, pools[-1])
        grown.append(discriminator)
        pool, losses["grad_norm"] = step(discriminator, pools[-1], settings)
        losses["g_loss"] = half_squared_distance([pools[0], pool])
        yield {"pool": pool, "discriminator": discriminator.weights, "losses": losses}


def transcription(optimizer, d_rate, g_rate, settings):
    """Per stage: the pools of t = 0 .. T, D_1 .. D_T, the approximator, losses and rates."""
    discriminator, approximator = (
        Network(WEIGHTS[name]) for name in ("discriminator", "approximator")
    )
    d_optimizer, g_optimizer = optimizer(d_rate), optimizer(g_rate)
    size, updates = settings["batch_size"], settings["discriminator_steps"]
    for stage in range(STAGES):
        latents = LATENTS[stage]
        real, fresh = iter(REAL[stage].reshape(-1, size, PIXELS)), iter(FRESH[stage])
        pools, snapshots, grown = [approximator(latents)], [], []
        for _ in range(settings["num_steps"]):
            for _ in range(updates):
                if settings.get("fixed_pool", True):
                    fake = pools[-1][ORDER[:size]]
                else:
                    fake = approximator(next(fresh))
                    for earlier in grown:
                        fake = step(earlier, fake, settings)[0]
                losses = train_discriminator(discriminator, d_optimizer, next(real), fake)
            grown.append(Network(discriminator.weights))
            snapshots.append(grown[-1].weights)
            pool, losses["grad_norm"] = step(discriminator, pools[-1], settings)
            pools.append(pool)
        if settings.get("algorithm") == "icfg":
            losses["g_loss"], rates = half_squared_distance(pools), []
        else:
            if settings.get("restart_optimizer", True):
                g_optimizer = optimizer(g_rate)
            g_optimizer.rate = g_rate
            losses["g_loss"], rates = distill(
                approximator, g_optimizer, latents, pools[-1], settings
            )
        yield {
            "pools": np.stack(pools),
            "snapshots": [np.stack(parts) for parts in zip(*snapshots)],
            "approximator": [w.copy() for w in approximator.weights],
            "losses": losses,
            "rates": rates,
        }
