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

// The page --------------------------------------------------------------------------------------

async function main() {
  const page = await (await fetch("demo.json")).json();
  const runtime = new URL(page.runtime, document.baseURI).href;
  ort = await import(`${runtime}ort.wasm.min.mjs`);
  ort.env.wasm.wasmPaths = runtime;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? 0 : 1;
  byId("status").textContent = "";
  const parts = { growth, manifold, faces };
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
