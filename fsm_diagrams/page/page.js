"use strict";
(() => {
  // As fsm_diagrams/unshown.py: a name that turns the direction would turn what stands beside it.
  const UNSHOWN = /[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]/gu;
  const shown = (key, value) =>
    typeof value === "string" ? value.replace(UNSHOWN, "\ufffd") : value;
  const data = JSON.parse(document.getElementById("data").textContent, shown);
  const byId = (id) => document.getElementById(id);
  const drawing = byId("drawing");
  const all = (selector) => [...drawing.querySelectorAll(selector)];
  const stateNodes = all("[data-state]");
  const arrowNodes = all("[data-arrow]");
  const chosenEvents = new Set();
  let chosen = null; // {state: n} or {arrow: n}
  let taken = -1; // the row of the step that is shown

  // ---- Making elements: always by textContent, never from markup.
  const make = (tag, text, className) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return node;
  };
  const nameOf = (index) => data.states[index].text;

  // ---- Pan and zoom: the part of the drawing that the window shows.
  const whole = drawing.viewBox.baseVal;
  const home = { x: whole.x, y: whole.y, w: whole.width, h: whole.height };
  const view = { ...home };
  const show = () => drawing.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  const at = (x, y) => new DOMPoint(x, y).matrixTransform(drawing.getScreenCTM().inverse());
  const zoom = (factor, x, y) => {
    const box = drawing.getBoundingClientRect();
    const centre = at(x ?? box.x + box.width / 2, y ?? box.y + box.height / 2);
    const width = Math.min(Math.max(view.w / factor, 60), home.w * 8);
    const by = width / view.w;
    view.x = centre.x - (centre.x - view.x) * by;
    view.y = centre.y - (centre.y - view.y) * by;
    view.w *= by;
    view.h *= by;
    show();
  };
  const pan = (dx, dy) => {
    const scale = drawing.getScreenCTM().a;
    view.x -= dx / scale;
    view.y -= dy / scale;
    show();
  };
  const fit = () => { Object.assign(view, home); show(); };
  const start = () => {
    // A large machine would be a speck; begin where it begins, at a size that can be read.
    const box = drawing.getBoundingClientRect();
    const scale = Math.min(box.width / home.w, box.height / home.h);
    if (scale >= 0.45 || !box.width) return;
    const first = drawing.querySelector(`[data-state="${data.initial[0]}"]`)?.getBBox();
    view.w = box.width / 0.7;
    view.h = box.height / 0.7;
    view.x = (first ? first.x + first.width / 2 : home.w / 2) - view.w / 2;
    view.y = (first ? first.y : 0) - view.h / 8;
    show();
  };
  const reveal = (node) => {
    // Follow a state that is out of sight, without moving what is in sight.
    const box = node.getBBox();
    const inside = box.x >= view.x && box.y >= view.y
      && box.x + box.width <= view.x + view.w && box.y + box.height <= view.y + view.h;
    if (inside) return;
    view.x = box.x + box.width / 2 - view.w / 2;
    view.y = box.y + box.height / 2 - view.h / 2;
    show();
  };

  const pointers = new Map();
  let moved = 0;
  const gap = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  drawing.addEventListener("pointerdown", (event) => {
    if (!pointers.size) moved = 0;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  window.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const now = { x: event.clientX, y: event.clientY };
    const before = pointers.size === 2 ? gap() : 0;
    pointers.set(event.pointerId, now);
    moved += Math.hypot(now.x - last.x, now.y - last.y);
    if (moved > 4) drawing.classList.add("held");
    pan((now.x - last.x) / pointers.size, (now.y - last.y) / pointers.size);
    if (before && gap()) {
      const [a, b] = [...pointers.values()];
      zoom(gap() / before, (a.x + b.x) / 2, (a.y + b.y) / 2);
    }
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) drawing.classList.remove("held");
  };
  window.addEventListener("pointerup", release);
  window.addEventListener("pointercancel", release);
  drawing.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-Math.max(-80, Math.min(80, event.deltaY)) / 300), event.clientX, event.clientY);
  }, { passive: false });
  byId("zoom-in").addEventListener("click", () => zoom(1.25));
  byId("zoom-out").addEventListener("click", () => zoom(0.8));
  byId("fit").addEventListener("click", fit);
  const STEP = 60;
  const KEYS = {
    ArrowLeft: () => pan(STEP, 0), ArrowRight: () => pan(-STEP, 0),
    ArrowUp: () => pan(0, STEP), ArrowDown: () => pan(0, -STEP),
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": fit,
  };
  drawing.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      const target = event.target.closest("[data-state],[data-arrow]");
      if (!target) return;
      choose(target);
    } else if (event.key === "Escape") choose(null);
    else if (KEYS[event.key]) KEYS[event.key]();
    else return;
    event.preventDefault();
  });
  drawing.addEventListener("focusin", (event) => {
    if (event.target !== drawing && event.target.matches(":focus-visible")) reveal(event.target);
  });

  // ---- What is chosen, filtered and taken, painted on the drawing.
  const passes = (row) => !chosenEvents.size || chosenEvents.has(row.event);
  const rowsOf = (arrow) => data.arrows[arrow].map((index) => data.rows[index]);
  const around = (index) => {
    // A nested state is also left by the rows of the states around it.
    const found = [];
    for (let each = index; each >= 0; each = data.states[each].parent) found.push(each);
    return found;
  };
  const touches = (row) => {
    const own = around(chosen.state);
    return own.includes(row.source) || row.target === chosen.state;
  };
  const paint = () => {
    for (const node of arrowNodes) {
      const index = Number(node.dataset.arrow);
      const rows = rowsOf(index);
      const near = !chosen || ("arrow" in chosen ? chosen.arrow === index : rows.some(touches));
      node.classList.toggle("dim", !near || !rows.some(passes));
      node.classList.toggle("chosen", chosen !== null && near && rows.some(passes));
      node.classList.toggle("taken", data.arrows[index].includes(taken));
      if ("arrow" in (chosen ?? {})) node.setAttribute("aria-pressed", chosen.arrow === index);
      else node.removeAttribute("aria-pressed");
    }
    const handled = new Set(data.rows.filter(passes).map((row) => row.source));
    for (const row of data.rows) if (passes(row)) handled.add(row.target);
    for (const node of stateNodes) {
      const index = Number(node.dataset.state);
      const mine = chosen !== null && chosen.state === index;
      const inner = data.states.some((state) => state.parent === index);
      node.classList.toggle("dim", chosenEvents.size > 0 && !handled.has(index) && !inner);
      node.classList.toggle("chosen", mine);
      node.setAttribute("aria-pressed", String(mine));
    }
  };
  const choose = (node) => {
    if (!node) chosen = null;
    else if (node.dataset.state) chosen = { state: Number(node.dataset.state) };
    else chosen = { arrow: Number(node.dataset.arrow) };
    paint();
    tell();
  };
  drawing.addEventListener("click", (event) => {
    if (moved > 4) return; // the end of a pan is no choice
    choose(event.target.closest("[data-state],[data-arrow]"));
  });

  // ---- The panel: the rows of what is chosen.
  const panel = byId("rows");
  const fact = (list, name, value) => {
    if (!value || !value.length) return;
    list.append(make("dt", name), make("dd", Array.isArray(value) ? value.join(", ") : value));
  };
  const linked = (index) => {
    const button = make("button", nameOf(index), "link");
    button.type = "button";
    button.addEventListener("click", () => {
      const node = drawing.querySelector(`[data-state="${index}"]`);
      choose(node);
      reveal(node);
    });
    return button;
  };
  const card = (row, { from = false } = {}) => {
    const node = make("article", undefined, "card");
    node.dataset.row = String(data.rows.indexOf(row));
    if (data.rows[taken] === row) node.classList.add("taken");
    const what = make("p", undefined, "what");
    if (from) what.append(linked(row.source), ": ");
    what.append(make("code", data.events[row.event]), row.internal ? " stays" : " \u2192 ");
    if (!row.internal) what.append(linked(row.target));
    const facts = make("dl");
    fact(facts, "when", row.guard);
    fact(facts, "effects", row.effects);
    fact(facts, "clock", row.clock);
    fact(facts, "reason", row.reason);
    fact(facts, "notes", row.notes);
    fact(facts, "review", row.look);
    node.append(what);
    if (facts.children.length) node.append(facts);
    return node;
  };
  const listed = (title, pairs, say) => {
    if (!pairs.length) return [];
    const list = make("ul");
    for (const pair of pairs) {
      const item = make("li");
      item.append(make("code", data.events[pair[1]]), say ? ` ${say(pair)}` : "");
      list.append(item);
    }
    return [make("h3", `${title} (${pairs.length})`), list];
  };
  const cards = (title, rows, options) =>
    rows.length ? [make("h3", `${title} (${rows.length})`), ...rows.map((r) => card(r, options))] : [];
  const tellState = (index) => {
    const state = data.states[index];
    const parts = [make("h2", state.text)];
    const kind = data.kinds[state.kind] + (state.final ? "; final" : "");
    parts.push(make("p", kind, "soft"));
    const own = data.rows.filter((row) => row.source === index && passes(row));
    parts.push(...cards("Rows", own));
    for (const outer of around(index).slice(1)) {
      const rows = data.rows.filter((row) => row.source === outer && passes(row));
      parts.push(...cards(`Rows of ${nameOf(outer)}, which it is in`, rows));
    }
    const mine = (pair) => pair[0] === index && (!chosenEvents.size || chosenEvents.has(pair[1]));
    const ignored = data.ignored.filter(mine);
    const impossible = data.impossible.filter(mine);
    const reason = (pair) => `${data.reasons[pair[2]].code}: ${data.reasons[pair[2]].text}`;
    parts.push(...listed("Ignored", ignored, reason));
    parts.push(...listed("Cannot happen", impossible));
    const decided = new Set([...ignored, ...impossible].map((pair) => pair[1]));
    for (const each of around(index))
      for (const row of data.rows) if (row.source === each) decided.add(row.event);
    const open = data.events.map((_, event) => [index, event])
      .filter((pair) => mine(pair) && !decided.has(pair[1]));
    parts.push(...listed("Not handled", open));
    const into = data.rows.filter((r) => r.target === index && r.source !== index && passes(r));
    parts.push(...cards("Reached by", into, { from: true }));
    return parts;
  };
  const tellArrow = (index) => {
    const rows = rowsOf(index).filter(passes);
    const targets = [...new Set(rowsOf(index).map((row) => nameOf(row.target)))];
    return [make("h2", `To ${targets.join(", ")}`), ...cards("Rows", rows, { from: true })];
  };
  const tellEvents = () => {
    const rows = data.rows.filter(passes);
    const ignored = data.ignored.filter((pair) => chosenEvents.has(pair[1]));
    const parts = [make("h2", [...chosenEvents].map((each) => data.events[each]).join(", "))];
    parts.push(...cards("Rows", rows, { from: true }));
    if (ignored.length) {
      const list = make("ul");
      for (const pair of ignored)
        list.append(make("li", `${nameOf(pair[0])}: ${data.reasons[pair[2]].code}`));
      parts.push(make("h3", `Ignored in (${ignored.length})`), list);
    }
    return parts;
  };
  const tell = () => {
    let parts = [make("p", "Choose a state or an arrow to see its rows, or an event above.", "soft")];
    if (chosen && "state" in chosen) parts = tellState(chosen.state);
    else if (chosen) parts = tellArrow(chosen.arrow);
    else if (chosenEvents.size) parts = tellEvents();
    panel.replaceChildren(...parts);
    panel.querySelector(".taken")?.scrollIntoView({ block: "nearest" });
  };

  // ---- The filter.
  const eventList = byId("events");
  const eventButtons = data.events.map((name, index) => {
    const button = make("button", name);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      if (!chosenEvents.delete(index)) chosenEvents.add(index);
      filtered();
    });
    eventList.append(button);
    return button;
  });
  const filtered = () => {
    eventButtons.forEach((button, index) =>
      button.setAttribute("aria-pressed", String(chosenEvents.has(index))));
    byId("all-events").disabled = !chosenEvents.size;
    paint();
    tell();
  };
  byId("all-events").addEventListener("click", () => { chosenEvents.clear(); filtered(); });
  byId("find").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    eventButtons.forEach((button, index) => {
      button.hidden = !data.events[index].toLowerCase().includes(wanted);
    });
  });

  // ---- The journal, step by step.
  const player = byId("player");
  const slider = byId("step");
  let run = [];
  let now = 0; // how many steps have been taken
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    byId("play").textContent = "Play";
    byId("play").setAttribute("aria-pressed", "false");
  };
  const words = (step) => {
    const time = step.t === null ? "" : ` at ${step.t.toFixed(3)} s`;
    const names = (list) => list.map(nameOf).join(" + ");
    const moved_ = names(step.before) === names(step.after)
      ? `stays ${names(step.after)}` : `${names(step.before)} \u2192 ${names(step.after)}`;
    const how = step.handling === "row" ? "" : ` (${step.handling}${step.why ? `: ${step.why}` : ""})`;
    const effects = step.effects.length ? `; ${step.effects.join(", ")}` : "";
    return `Step ${now} of ${run.length}${time}: ${data.events[step.event]}${how}, ${moved_}${effects}`;
  };
  const go = (step) => {
    now = Math.min(Math.max(step, 0), run.length);
    slider.value = String(now);
    const last = run[now - 1];
    const here = last ? last.after : run[0].before;
    taken = last ? last.row : -1;
    slider.setAttribute("aria-valuetext", `step ${now} of ${run.length}`);
    byId("told").textContent = last ? words(last) : `Before the first of ${run.length} steps`;
    byId("previous").disabled = now === 0;
    byId("next").disabled = now === run.length;
    for (const node of stateNodes) {
      const mine = here.includes(Number(node.dataset.state));
      node.classList.toggle("now", mine);
      if (mine) { node.setAttribute("aria-current", "step"); reveal(node); }
      else node.removeAttribute("aria-current");
    }
    chosen = null;
    paint();
    tell();
    if (last) {
      panel.replaceChildren(...tellState(last.row >= 0 ? data.rows[last.row].source : here[0]));
      panel.querySelector(".taken")?.scrollIntoView({ block: "nearest" });
    }
    if (now === run.length && timer) stop();
  };
  const load = (name) => {
    run = data.runs[name].steps;
    slider.max = String(run.length);
    go(0);
  };
  if (data.runs.length) {
    player.hidden = false;
    const select = byId("run");
    data.runs.forEach((each, index) => {
      const option = make("option", each.name || "the run");
      option.value = String(index);
      select.append(option);
    });
    select.hidden = data.runs.length < 2;
    select.addEventListener("change", () => { stop(); load(Number(select.value)); });
    slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
    byId("previous").addEventListener("click", () => { stop(); go(now - 1); });
    byId("next").addEventListener("click", () => { stop(); go(now + 1); });
    byId("play").addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (now === run.length) go(0);
      byId("play").textContent = "Pause";
      byId("play").setAttribute("aria-pressed", "true");
      timer = setInterval(() => go(now + 1), 900);
    });
    load(0);
  } else { paint(); tell(); }

  // ---- Light and dark: as the reader's system says, until the switch is used.
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let asked = null;
  const dress = () => {
    const dark = asked ?? system.matches;
    root.classList.toggle("dark", dark);
    byId("theme").textContent = dark ? "Light" : "Dark";
  };
  system.addEventListener("change", dress);
  byId("theme").addEventListener("click", () => {
    asked = !root.classList.contains("dark");
    dress();
  });
  dress();
  start();
  root.dataset.ready = "yes";
})();
