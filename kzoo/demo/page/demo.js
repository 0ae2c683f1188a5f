// The models' files and shapes stand in demo.json; each part of the page loads its own when it
// comes into view.

const byId = (id) => document.getElementById(id);

// Numbers and pictures --------------------------------------------------------------------------

function normal(count) {
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    return radius * Math.cos(2 * Math.PI * Math.random());
  });
}

function length(vector) {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}

/** One image of values in [-1, 1], (height, width, channels), as the pixels of a canvas. */
function pixels(values, offset, [height, width, channels]) {
  const image = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      const value = values[offset + i * channels + (channels === 3 ? c : 0)];
      image.data[4 * i + c] = Math.round(127.5 * (value + 1)); // clamped to 0 .. 255
    }
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** Draws images in rows. */
function sheet(canvas, values, count, columns, shape) {
  const [height, width, channels] = shape;
  canvas.width = columns * width;
  canvas.height = Math.ceil(count / columns) * height;
  const context = canvas.getContext("2d");
  for (let i = 0; i < count; i++) {
    const image = pixels(values, i * height * width * channels, shape);
    context.putImageData(image, (i % columns) * width, Math.floor(i / columns) * height);
  }
}

// Models ----------------------------------------------------------------------------------------

let ort;

async function session(file) {
  return ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
}

const floats = (values, shape) => new ort.Tensor("float32", values, shape);

/** The only output of a model for its inputs, in their order. */
async function run(model, ...inputs) {
  const feeds = Object.fromEntries(model.inputNames.map((name, i) => [name, inputs[i]]));
  const outputs = await model.run(feeds);
  return outputs[model.outputNames[0]].data;
}

/** Runs a function for the newest arguments only, one run at a time. */
function newest(work) {
  let waiting = null;
  let busy = false;
  return async (...given) => {
    waiting = given;
    if (busy) return;
    busy = true;
    try {
      while (waiting) {
        const current = waiting;
        waiting = null;
        await work(...current);
      }
    } finally {
      busy = false;
    }
  };
}

// The parts -------------------------------------------------------------------------------------

async function growth({ start, step, batch, steps, image_shape: shape, latent_dim: dim }) {
  const slider = byId("growth-step");
  const button = byId("growth-new");
  const change = byId("growth-change");
  const note = byId("growth-note");
  const dims = [batch, ...shape];
  let images = []; // of G_0 ... G_t

  function show() {
    const t = Number(slider.value);
    byId("growth-t").value = String(t);
    let values = images[t];
    if (change.checked) values = values.map((value, i) => value - images[0][i]);
    sheet(byId("growth-picture"), values, batch, Math.ceil(Math.sqrt(batch)), shape);
  }

  const first = await session(start);
  const further = steps ? await session(step) : null;
  slider.hidden = !steps;

  async function draw() {
    button.disabled = true;
    images = [await run(first, floats(normal(batch * dim), [batch, dim]))];
    slider.max = slider.value = 0;
    show();
    for (let t = 0; t < steps; t++) {
      note.textContent = `Step ${t + 1} of ${steps}`;
      const index = new ort.Tensor("int32", Int32Array.of(t), []);
      images.push(await run(further, floats(images[t], dims), index));
      const follows = Number(slider.value) === t; // unless it was moved back meanwhile
      slider.max = t + 1;
      if (follows) slider.value = t + 1;
      show();
      await new Promise((resolve) => setTimeout(resolve)); // lets the picture appear
    }
    note.textContent = steps ? `All ${steps} steps are done: move the slider.` : "";
    button.disabled = false;
  }

  slider.addEventListener("input", show);
  change.addEventListener("change", show);
  button.addEventListener("click", draw);
  await draw();
}

async function manifold({ decode, image_shape: shape }) {
  const ROWS = 15; // of the map
  const EXTENT = 2.5; // in standard deviations
  const model = await session(decode);
  const map = byId("manifold-map");
  const at = [0.5, 0.5]; // as fractions of the map, from its upper left corner
  const latents = (x, y) => [EXTENT * (2 * x - 1), EXTENT * (1 - 2 * y)];
  const draw = (x, y) => run(model, floats(Float32Array.from(latents(x, y)), [1, 2]));

  const size = shape[0] * shape[1] * shape[2];
  const all = new Float32Array(ROWS * ROWS * size);
  for (let i = 0; i < ROWS * ROWS; i++) {
    const [x, y] = [((i % ROWS) + 0.5) / ROWS, (Math.floor(i / ROWS) + 0.5) / ROWS];
    all.set(await draw(x, y), i * size);
  }
  sheet(byId("manifold-picture"), all, ROWS * ROWS, ROWS, shape);

  const show = newest(async (x, y) => {
    const mark = byId("manifold-mark");
    mark.style.left = `${100 * x}%`;
    mark.style.top = `${100 * y}%`;
    sheet(byId("manifold-digit"), await draw(x, y), 1, 1, shape);
    const [z1, z2] = latents(x, y).map((z) => z.toFixed(2));
    byId("manifold-note").textContent = `z = (${z1}, ${z2})`;
  });

  function move(x, y) {
    at[0] = Math.min(1, Math.max(0, x));
    at[1] = Math.min(1, Math.max(0, y));
    return show(...at);
  }

  function pointed(event) {
    const box = map.getBoundingClientRect();
    move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  map.addEventListener("pointermove", pointed);
  map.addEventListener("pointerdown", pointed);
  map.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    move(at[0] + 0.02 * step[0], at[1] + 0.02 * step[1]);
  });
  await move(...at);
}

async function completion({ network, image_shape: shape }) {
  const [height, width] = shape;
  const count = height * width;
  const RADIUS = 1.1; // of the pen, in pixels
  const canvas = byId("completion-picture");
  const button = byId("completion-draw");
  const note = byId("completion-note");
  const drawn = new Uint8Array(count); // 1 where the person drew
  let levels = drawn.slice(); // 0 or 1: what is drawn and what the model adds
  let stroke = 0; // rises when the person draws: what the model draws is then out of date
  const model = await session(network);

  function show(known) {
    const white = Float32Array.from(levels, (level, i) => (level && i < known ? 1 : -1));
    const image = pixels(white, 0, shape);
    drawn.forEach((on, i) => { if (on) image.data.set([255, 179, 0], 4 * i); });
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function change() {
    stroke += 1;
    levels = drawn.slice();
    note.textContent = "";
    show(count);
  }

  /**
   * Draws the pixels below the last row with something drawn, each by a random number of its own
   * and the pixels before it. The network gives the probabilities of all pixels at once, those of
   * a pixel from what was guessed for the pixels before it. So after each run, all pixels are
   * known up to the first one that turned out unlike its guess.
   */
  async function complete() {
    const mine = stroke;
    const start = performance.now();
    const first = width * (Math.floor(drawn.lastIndexOf(1) / width) + 1);
    let known = first;
    let runs = 0;
    levels = drawn.slice();
    const uniforms = Float32Array.from(levels, () => Math.random());
    button.disabled = true;
    while (known < count) {
      const values = Float32Array.from(levels, (level) => 2 * level - 1);
      const logits = await run(model, floats(values, [1, ...shape]));
      if (mine !== stroke) break;
      const now = levels.map((level, i) => {
        if (i < known) return level;
        return uniforms[i] < 1 / (1 + Math.exp(-logits[i])) ? 1 : 0;
      });
      const unlike = now.findIndex((level, i) => level !== levels[i]);
      known = unlike < 0 ? count : unlike + 1;
      levels = now;
      runs += 1;
      show(known);
      note.textContent = `Row ${Math.ceil(known / width)} of ${height}`;
      await new Promise((resolve) => setTimeout(resolve)); // lets the picture appear
    }
    button.disabled = false;
    if (mine !== stroke) return;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    note.textContent = first === count
      ? "Your drawing reaches the last row: nothing is left to complete."
      : `${count - first} pixels in ${seconds} s, by ${runs} runs of the network.`;
  }

  let last = null; // where the pen was, in pixels
  function pen(event) {
    const box = canvas.getBoundingClientRect();
    const to = [(event.clientX - box.left) * width / box.width,
      (event.clientY - box.top) * height / box.height];
    const from = last ?? to;
    const steps = Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])) || 1;
    for (let k = 1; k <= steps; k++) {
      const [x, y] = to.map((end, axis) => from[axis] + (end - from[axis]) * k / steps);
      for (let i = 0; i < count; i++) {
        const distance = Math.hypot((i % width) + 0.5 - x, Math.floor(i / width) + 0.5 - y);
        if (distance < RADIUS) drawn[i] = 1;
      }
    }
    last = to;
    change();
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = null;
    pen(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) pen(event); });
  button.addEventListener("click", complete);
  byId("completion-clear").addEventListener("click", () => {
    drawn.fill(0);
    change();
  });
  change();
}

async function faces({ draw, directions, image_shape: shape, latent_dim: dim }) {
  const STRENGTH = 2; // of a slider at its end, in directions
  const model = await session(draw);
  const note = byId("faces-note");
  const sliders = Object.keys(directions).map((name) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    label.textContent = name;
    label.htmlFor = input.id = `faces-${name.toLowerCase()}`;
    Object.assign(input, { type: "range", min: -STRENGTH, max: STRENGTH, step: 0.05, value: 0 });
    byId("faces-sliders").append(label, input);
    return input;
  });
  let latents;

  const show = newest(async () => {
    const moved = latents.slice();
    Object.values(directions).forEach((way, k) => {
      way.forEach((x, i) => { moved[i] += Number(sliders[k].value) * x; });
    });
    // Latents keep their length: on longer ones the generator was not trained.
    const scale = length(latents) / length(moved);
    const start = performance.now();
    const values = await run(model, floats(moved.map((x) => x * scale), [1, dim]));
    sheet(byId("faces-picture"), values, 1, 1, shape);
    note.textContent = `Drawn in ${Math.round(performance.now() - start)} ms.`;
  });

  function drawAnew() {
    latents = normal(dim);
    sliders.forEach((slider) => { slider.value = 0; });
    return show();
  }

  sliders.forEach((slider) => slider.addEventListener("input", show));
  byId("faces-new").addEventListener("click", drawAnew);
  await drawAnew();
}

async function captions(page) {
  const { draw, batch, vocabulary, max_words: length, image_shape: shape, latent_dim: dim } = page;
  const model = await session(draw);
  const token = new Map(vocabulary.map((word, i) => [word, page.first + i]));
  const note = byId("captions-note");
  byId("captions-words").textContent = `It knows ${vocabulary.length} words. It saw these most `
    + `often: ${vocabulary.slice(0, 20).join(", ")}.`;
  let latents = normal(batch * dim);

  const show = newest(async () => {
    // As kzoo.models.text_to_image.vocabulary splits captions.
    const caption = byId("captions-text").value.toLowerCase();
    const words = caption.match(/[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu) ?? [];
    const unknown = [...new Set(words)].filter((word) => !token.has(word)).sort();
    const tokens = new Int32Array(length); // 0 where there is no further word
    words.slice(0, length).forEach((word, i) => { tokens[i] = token.get(word) ?? page.unknown; });
    note.textContent = unknown.length ? `Unknown words: ${unknown.join(", ")}. ` : "";
    if (words.length > length) note.textContent += `Only the first ${length} words count.`;
    if (!tokens.some((number) => number >= page.first)) {
      note.textContent += "Type a caption with a word that the model knows.";
      return;
    }
    const rows = Int32Array.from({ length: batch * length }, (_, i) => tokens[i % length]);
    const values = await run(
      model, floats(latents, [batch, dim]), new ort.Tensor("int32", rows, [batch, length]));
    sheet(byId("captions-picture"), values, batch, Math.ceil(Math.sqrt(batch)), shape);
  });

  byId("captions-form").addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  byId("captions-new").addEventListener("click", () => {
    latents = normal(batch * dim);
    show();
  });
  await show();
}

// The page --------------------------------------------------------------------------------------

async function main() {
  const page = await (await fetch("demo.json")).json();
  const runtime = new URL(page.runtime, document.baseURI).href;
  ort = await import(`${runtime}ort.wasm.min.mjs`);
  ort.env.wasm.wasmPaths = runtime;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? 0 : 1;
  byId("status").textContent = "";
  const parts = { growth, manifold, completion, faces, captions };
  const observer = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
      observer.unobserve(target);
      const note = byId(`${target.id}-note`);
      note.textContent = "The model is loading.";
      parts[target.id](page[target.id])
        .then(() => { target.dataset.state = "ready"; })
        .catch((error) => { note.textContent = `It does not work here: ${error.message}`; });
    });
  });
  for (const name of Object.keys(parts).filter((part) => page[part])) {
    byId(name).hidden = false;
    observer.observe(byId(name));
  }
}

main().catch((error) => {
  byId("status").textContent = `The page could not be loaded: ${error.message}`;
});
