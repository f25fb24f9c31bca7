"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const { models, fates, sides } = JSON.parse($("data").textContent);
  const tone = (fate) => fates[fate][1];
  const isBad = (fate) => fate >= 0 && tone(fate) === "bad";
  const MARGIN = 12; // rows that are drawn beyond what is seen

  // --- a model: nodes in the order of the tree, each with its parent and the end of what is below it ---

  const prepared = new Map();

  function prepare(number) {
    if (!prepared.has(number)) {
      const { name, paths, nodes: known, rows } = models[number];
      const nodes = known.map(([depth, old, now, like, row]) => ({ depth, old, now, like, row, parent: -1, end: 0 }));
      const above = [];
      nodes.forEach((node, at) => {
        above.length = node.depth - 1;
        node.parent = above.length ? above[above.length - 1] : -1;
        above.push(at);
      });
      for (let at = nodes.length - 1; at >= 0; at--) {
        const { parent, end } = nodes[at];
        nodes[at].end = end || at + 1;
        if (parent >= 0) nodes[parent].end = Math.max(nodes[parent].end, nodes[at].end);
      }
      prepared.set(number, { name, paths, nodes, rows: rows.map(readRow) });
    }
    return prepared.get(number);
  }

  function readRow([saved, now, its = [], got, near]) {
    const side = (found) => found && { path: found[0], shape: found[1], dtype: found[2], owner: found[3], where: found[4] };
    const old = side(saved);
    const row = { saved: old, now: now === 1 ? old : side(now), fates: its, got: got || {}, near: near || [] };
    row.text = [row.saved, row.now].map((one) => (one ? Object.values(one).join("\n") : "")).join("\n").toLowerCase();
    row.differs = ["path", "shape", "dtype", "owner"].filter((key) => !row.saved || !row.now || row.saved[key] !== row.now[key]);
    if (!its.length) row.differs = []; // nothing older to differ from
    return row;
  }

  // --- what is shown: lines, made of the nodes that the filter leaves, repeats in one ---

  const state = { model: 0, path: -1, words: [], only: false, fold: true, opened: new Map(), lines: [], active: null };
  let model, sums;

  const asked = () => (state.path < 0 ? model.paths.map((_, at) => at) : [state.path]);
  const isChanged = (row, paths) => row.differs.length > 0 || paths.some((at) => isBad(row.fates[at]));

  function refresh() {
    model = prepare(state.model);
    sums = summed();
    state.lines = [];
    walk(children(-1), 1, 1);
    state.active = Math.max(0, Math.min(state.active ?? state.lines.findIndex((line) => lookOf(line)), state.lines.length - 1));
    $("grid").setAttribute("aria-rowcount", state.lines.length + 1);
    tell();
    draw();
    activate(state.active);
  }

  function summed() {
    const { nodes, rows } = model, paths = asked(), kinds = fates.length, width = model.paths.length * kinds;
    const count = new Int32Array(nodes.length), changed = new Int32Array(nodes.length);
    const fate = new Int32Array(nodes.length * width), like = new Array(nodes.length), known = new Map();
    const below = nodes.map(() => []), whole = !state.words.length && !state.only;
    let total = 0;
    for (let at = nodes.length - 1; at >= 0; at--) {
      const node = nodes[at], row = node.row < 0 ? null : rows[node.row];
      const mine = row !== null && (!state.only || isChanged(row, paths)) && state.words.every((word) => row.text.includes(word));
      if (mine) {
        count[at]++;
        changed[at] += isChanged(row, paths);
        row.fates.forEach((kind, path) => { if (kind >= 0) fate[at * width + path * kinds + kind]++; });
      }
      like[at] = whole ? node.like : classOf(known, `${node.like} ${mine} ${below[at].reverse().join(" ")}`);
      if (count[at] === 0) continue;
      if (node.parent < 0) { total += count[at]; continue; }
      count[node.parent] += count[at];
      changed[node.parent] += changed[at];
      for (let each = 0; each < width; each++) fate[node.parent * width + each] += fate[at * width + each];
      below[node.parent].push(like[at]);
    }
    return { count, changed, fate, like, total, width, kinds };
  }

  function classOf(known, key) {
    if (!known.has(key)) known.set(key, known.size);
    return known.get(key);
  }

  function children(at) {
    const found = [];
    for (let child = at + 1; child < (at < 0 ? model.nodes.length : model.nodes[at].end); child = model.nodes[child].end) {
      if (sums.count[child]) found.push(child);
    }
    return found;
  }

  function walk(nodes, level, times) {
    const groups = new Map();
    nodes.forEach((at) => {
      const key = state.fold ? sums.like[at] : at;
      if (groups.has(key)) groups.get(key).push(at); else groups.set(key, [at]);
    });
    let position = 0;
    for (const members of groups.values()) {
      const at = members[0], below = children(at), all = times * members.length;
      const isOpen = below.length > 0 && (state.opened.get(at) ?? (state.words.length > 0 || sums.changed[at] > 0));
      state.lines.push({ at, members, level, all, below, isOpen, position: ++position, of: groups.size });
      if (isOpen) walk(below, level + 1, all);
    }
  }

  // --- words ---

  const variables = (count) => `${count} variable${count === 1 ? "" : "s"}`;
  const starred = (name) => name.replace(/(^|_)\d+$/, "$1*");

  function nameOf(line, key) {
    const name = model.nodes[line.at][key];
    return name === null ? null : line.members.length > 1 ? starred(name) : name;
  }

  function rowOf(line) {
    const { row } = model.nodes[line.at];
    return row < 0 || line.below.length ? null : model.rows[row];
  }

  function extraOf(line, key) {
    const row = rowOf(line), seen = row && row[key];
    if (seen) return seen.dtype === "float32" ? seen.shape : `${seen.shape} ${seen.dtype}`;
    const owners = line.below.map((at) => model.nodes[at].row).filter((at) => at >= 0).map((at) => model.rows[at][key]);
    return owners.find(Boolean)?.owner ?? "";
  }

  function worst(line, path) {
    const start = line.at * sums.width + path * sums.kinds;
    for (let kind = 0; kind < sums.kinds; kind++) if (sums.fate[start + kind]) return { kind, many: sums.fate[start + kind] };
    return null;
  }

  function lookOf(line) {
    const { old, now } = model.nodes[line.at], row = rowOf(line);
    const bad = asked().some((path) => { const found = worst(line, path); return found && isBad(found.kind); });
    const itself = row ? row.differs.length > 0 : old !== now && sums.changed[line.at] > 0;
    if (bad && (row || itself)) return "lost";
    return itself ? "moved" : "";
  }

  function tell() {
    const all = model.rows.length, changed = model.rows.filter((row) => isChanged(row, asked())).length;
    const shown = sums.total === all ? "" : `${sums.total} of `;
    $("count").textContent = `${shown}${variables(all)}, ${changed} changed or not restored`;
  }

  // --- drawing ---

  function element(tag, options = {}, ...content) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(options)) {
      if (key === "class") made.className = value; else made.setAttribute(key, value);
    }
    made.append(...content.filter((each) => each !== null && each !== ""));
    return made;
  }

  function head() {
    const cells = [...sides, ...asked().map((at) => model.paths[at])];
    return element("div", { class: "row head", role: "row", "aria-rowindex": 1 },
      ...cells.map((text, at) => element("div", { role: "columnheader", class: at < 2 ? "" : "fate" }, text)));
  }

  function draw() {
    const grid = $("grid"), space = element("div", { class: "space", role: "rowgroup" }), top = grid.scrollTop;
    grid.style.setProperty("--paths", asked().length);
    grid.style.setProperty("--fate", asked().length > 2 ? "8rem" : "11.5rem");
    space.style.height = `${state.lines.length * height()}px`;
    const nothing = state.lines.length ? null : element("div", { class: "none" }, "No variable is like that.");
    grid.replaceChildren(element("div", { role: "rowgroup", class: "heads" }, head()), space, nothing ?? "");
    grid.querySelector(".heads").style.display = "contents";
    grid.scrollTop = top;
    fill();
  }

  function fill() {
    const grid = $("grid"), space = grid.querySelector(".space"), each = height();
    const first = Math.max(0, Math.floor(grid.scrollTop / each) - MARGIN);
    const last = Math.min(state.lines.length, Math.ceil((grid.scrollTop + grid.clientHeight) / each) + MARGIN);
    space.replaceChildren(...state.lines.slice(first, last).map((line, at) => drawn(line, first + at, each)));
    const active = $(`row-${state.active}`);
    if (active) grid.setAttribute("aria-activedescendant", active.id); else grid.removeAttribute("aria-activedescendant");
  }

  function drawn(line, at, each) {
    const look = lookOf(line);
    const row = element("div", {
      id: `row-${at}`, role: "row", class: `row ${look}${at === state.active ? " active" : ""}`, "data-at": at,
      "aria-level": line.level, "aria-rowindex": at + 2, "aria-posinset": line.position, "aria-setsize": line.of,
      "aria-selected": at === state.active,
    }, nameCell(line, "old", look), nameCell(line, "now", look), ...fateCells(line));
    if (line.below.length) row.setAttribute("aria-expanded", line.isOpen);
    row.style.transform = `translateY(${at * each}px)`;
    return row;
  }

  function nameCell(line, key, look) {
    const name = nameOf(line, key), cell = element("div", { role: key === "old" ? "rowheader" : "gridcell", class: "name" });
    cell.style.setProperty("--depth", line.level);
    const twisty = element("span", { class: "twisty", "aria-hidden": "true" }, line.below.length ? (line.isOpen ? "▾" : "▸") : "");
    if (name === null) {
      cell.classList.add("gone");
      cell.append(twisty, element("span", { "aria-hidden": "true" }, "–"), element("span", { class: "away" }, "not there"));
      return cell;
    }
    const row = rowOf(line), other = row && row.saved && row.now && (row.differs.includes("shape") || row.differs.includes("dtype"));
    const extra = extraOf(line, key === "old" ? "saved" : "now");
    const renamed = look && model.nodes[line.at].old !== model.nodes[line.at].now;
    cell.append(twisty, element(renamed ? "em" : sums.changed[line.at] ? "b" : "span", {}, name || "(no name)"));
    if (line.members.length > 1) cell.append(element("span", { class: "times" }, `×${line.members.length}`));
    if (extra) cell.append(element("span", { class: `extra${other ? " other" : ""}` }, extra));
    cell.title = cell.textContent.slice(1);
    return cell;
  }

  function fateCells(line) {
    const found = asked().map((path) => worst(line, path));
    const gravest = found.reduce((best, each, at) => (each && (best < 0 || each.kind < found[best].kind) ? at : best), -1);
    return found.map((each, at) => element("div", {
      role: "gridcell", class: `fate ${each ? tone(each.kind) : ""}${at === gravest ? " worst" : ""}`,
    }, each ? (each.many === sums.count[line.at] ? "" : `${each.many} of ${sums.count[line.at]} `) + fates[each.kind][0] : ""));
  }

  const height = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) *
    parseFloat(getComputedStyle(document.documentElement).fontSize);

  // --- the details of a row ---

  function detail() {
    const line = state.lines[state.active], box = $("details");
    if (!line) { box.replaceChildren(); return; }
    const row = rowOf(line);
    const names = ["old", "now"].map((key) => fullName(line, key)).filter((name) => name !== null);
    const title = [...new Set(names)].join(" → ") || model.name;
    box.replaceChildren(
      element("h3", { class: "mono" }, title, line.all > 1 ? element("span", { class: "times" }, `×${line.all}`) : ""),
      row ? compared(row) : element("p", {}, variables(sums.count[line.at] * line.all)),
      outcomes(line, row),
      ...(row && row.near.length ? [element("p", {}, "Near: ", element("span", { class: "mono" }, row.near.join(", ")), " has its shape and type, and no partner either.")] : []),
      ...(line.members.length > 1 ? [element("p", { class: "quiet" }, `Stands for ${listed(line.members)}.`)] : []));
  }

  function listed(members) {
    const names = members.slice(0, 20).map((at) => model.nodes[at].now ?? model.nodes[at].old);
    return names.join(", ") + (members.length > 20 ? ` and ${members.length - 20} more` : "");
  }

  function fullName(line, key) {
    const parts = [];
    let start = state.lines.indexOf(line);
    for (let level = line.level; start >= 0; start--) {
      if (state.lines[start].level === level) { parts.unshift(nameOf(state.lines[start], key)); level--; }
    }
    return parts.every((part) => part === null) || nameOf(line, key) === null ? null : parts.filter((part) => part !== null).join("/");
  }

  function compared(row) {
    const line = (title, key) => {
      const [saved, now] = [row.saved, row.now].map((seen) => (seen ? seen[key] || "–" : "–"));
      const options = row.saved && row.now && row.differs.includes(key) ? { class: "mono differs" } : { class: "mono" };
      return element("tr", {}, element("th", { scope: "row" }, title), element("td", options, saved), element("td", options, now));
    };
    const top = element("tr", {}, element("td"), ...sides.map((side) => element("th", { scope: "col" }, side)));
    return element("table", {}, top, line("Name", "path"), line("Shape", "shape"), line("Type", "dtype"), line("Owner", "owner"), line("Line", "where"));
  }

  function outcomes(line, row) {
    const list = element("dl");
    model.paths.forEach((path, at) => {
      const found = worst(line, at);
      if (!found) return;
      const many = found.many === sums.count[line.at] ? "" : ` (${found.many} of ${sums.count[line.at]})`;
      const other = row && row.got[path] ? `: ${row.got[path]}` : "";
      list.append(element("dt", {}, path), element("dd", { class: tone(found.kind) }, `${fates[found.kind][2]}${other}${many}`));
    });
    return list;
  }

  // --- what a person does ---

  function activate(at) {
    state.active = Math.max(0, Math.min(at, state.lines.length - 1));
    const grid = $("grid"), each = height(), top = state.active * each, seen = grid.clientHeight - each;
    if (top < grid.scrollTop) grid.scrollTop = top;
    if (top + each > grid.scrollTop + seen) grid.scrollTop = top + each - seen;
    fill();
    detail();
  }

  function toggle(line, isOpen) {
    if (!line || !line.below.length || line.isOpen === isOpen) return;
    state.opened.set(line.at, isOpen ?? !line.isOpen);
    refresh();
  }

  const KEYS = {
    ArrowDown: () => activate(state.active + 1),
    ArrowUp: () => activate(state.active - 1),
    Home: () => activate(0),
    End: () => activate(state.lines.length - 1),
    PageDown: (page) => activate(state.active + page),
    PageUp: (page) => activate(state.active - page),
    ArrowRight: (_, line) => (line.below.length && !line.isOpen ? toggle(line, true) : line.below.length && activate(state.active + 1)),
    ArrowLeft: (_, line) => {
      if (line.isOpen) { toggle(line, false); return; }
      let at = state.active;
      while (at >= 0 && state.lines[at].level >= line.level) at--;
      if (at >= 0) activate(at);
    },
    "*": (_, line) => {
      const parent = model.nodes[line.at].parent;
      children(parent).forEach((at) => state.opened.set(at, true));
      refresh();
    },
    " ": (_, line) => toggle(line),
    Enter: () => $("details").focus(),
  };

  function listen() {
    const grid = $("grid"), again = (change) => (event) => { change(event.target); state.active = null; grid.scrollTop = 0; refresh(); };
    grid.addEventListener("keydown", (event) => {
      const act = KEYS[event.key], line = state.lines[state.active];
      if (!act || !line || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act(Math.max(1, Math.floor(grid.clientHeight / height()) - 2), line);
    });
    grid.addEventListener("click", (event) => {
      const row = event.target.closest("[data-at]");
      if (!row) return;
      activate(Number(row.dataset.at));
      if (!getSelection().toString()) toggle(state.lines[state.active]);
    });
    grid.addEventListener("scroll", () => requestAnimationFrame(fill), { passive: true });
    addEventListener("resize", () => requestAnimationFrame(draw));
    $("details").addEventListener("keydown", (event) => { if (event.key === "Escape") grid.focus(); });
    $("text").addEventListener("input", again((box) => { state.words = box.value.toLowerCase().split(/\s+/).filter(Boolean); state.opened.clear(); }));
    $("path").addEventListener("change", again((box) => { state.path = Number(box.value); state.opened.clear(); }));
    $("only").addEventListener("change", again((box) => { state.only = box.checked; }));
    $("fold").addEventListener("change", again((box) => { state.fold = box.checked; state.opened.clear(); }));
    $("model").addEventListener("change", again((box) => { choose(Number(box.value)); }));
    document.querySelector(".tools").addEventListener("submit", (event) => event.preventDefault());
  }

  function choose(number) {
    Object.assign(state, { model: number, path: -1 });
    state.opened.clear();
    const options = ["all", ...models[number].paths].map((text, at) => element("option", { value: at - 1 }, text));
    $("path").replaceChildren(...options);
  }

  $("model").append(...models.map(({ name }, at) => element("option", { value: at }, name)));
  $("model-choice").hidden = models.length < 2;
  choose(0);
  listen();
  refresh();
})();
