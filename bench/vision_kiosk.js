// A camera that shows what the benchmark draws, and a note of every change of the kiosk's page, on the page's own clock.
(() => {
  const canvas = document.createElement("canvas");
  canvas.width = 640;
  canvas.height = 480;
  const context = canvas.getContext("2d");
  const scenes = {};
  const notes = [];
  let scene = "nobody";
  let number = 0;

  function draw() {
    const frames = scenes[scene];
    if (frames) context.drawImage(frames[number++ % frames.length], 0, 0, canvas.width, canvas.height);
    else context.fillRect(0, 0, canvas.width, canvas.height); // a video without a first picture keeps the page loading for ever
  }

  function note() {
    const mode = document.querySelector("#kiosk")?.dataset.mode;
    const words = document.querySelector("[data-testid=kiosk-headline]")?.textContent ?? "";
    const last = notes.at(-1);
    if (mode && (mode !== last?.mode || words !== last?.words)) notes.push({ at: performance.now(), mode, words });
  }

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // until nothing was loaded for so long
  async function quiet(ms, patience) {
    const began = performance.now();
    const loaded = () => performance.getEntriesByType("resource").map((one) => one.responseEnd);
    while (performance.now() - Math.max(began, ...loaded()) < ms && performance.now() - began < patience)
      await pause(20);
    performance.clearResourceTimings();
  }

  // until the browser has handed the frame on
  const drawn = () =>
    new Promise((resolve) =>
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = resolve;
        port2.postMessage(0);
      }),
    );

  function changedTo(mode, before, until) {
    const right = () =>
      document.querySelector("#kiosk")?.dataset.mode === mode && document.querySelector("main") !== before;
    return new Promise((resolve, reject) => {
      const watch = new MutationObserver(() => {
        if (right()) end(() => resolve(performance.now()));
      });
      const late = setTimeout(
        () => end(() => reject(new Error(`the screen was never ${mode}`))),
        until - performance.now(),
      );
      const end = (then) => {
        watch.disconnect();
        clearTimeout(late);
        then();
      };
      watch.observe(document, { subtree: true, childList: true, attributes: true });
    });
  }

  async function picture(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
  }

  globalThis.bench = {
    async load(name, texts) {
      scenes[name] = await Promise.all(texts.map(picture));
    },
    show(name) {
      scene = name;
      number = 0;
      draw();
      return performance.now();
    },
    settled: (patience) => quiet(1000, patience),
    async tell(address, key, body, mode, patience) {
      const before = document.querySelector("main");
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const since = performance.now();
      const answer = fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
      const changed = await changedTo(mode, before, since + patience);
      await drawn();
      const painted = performance.now() - since;
      if (!(await answer).ok) throw new Error(`the api answered ${(await answer).status}`);
      const blank = () => document.querySelector(".poster.blank") || [...document.images].some((one) => !one.complete);
      while (blank() && performance.now() - since < patience) await pause(20);
      await quiet(400, patience);
      return { changed: changed - since, painted };
    },
    async wait(since, mode, words, patience) {
      const right = (one) => one.mode === mode && one.words.includes(words);
      while (performance.now() - since < patience) {
        note();
        const last = notes.at(-1);
        if (last && right(last)) return Math.max(last.at, since);
        await pause(5);
      }
      return null;
    },
  };
  setInterval(draw, 1000 / 30);
  new MutationObserver(note).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });
  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30);
})();
