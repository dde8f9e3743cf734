"use strict";
// Draws the latest picture, twice a second. Everything is set as text: nothing that was recorded
// can act in this page.
const SVG = "http://www.w3.org/2000/svg";
const BOX = { width: 270, row: 22 };
const PHONE = window.matchMedia("(max-width: 640px)");
const element = (id) => document.getElementById(id);

function shape(name, attributes, text) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  if (text !== undefined) found.textContent = text;
  element("map").append(found);
}

const heightOf = (region) => BOX.row * (2 + region.nodes.length) + 14;

function places(regions) {
  const count = regions.length;
  return regions.map((region, number) => {
    const height = heightOf(region);
    const angle = -Math.PI / 2 - (2 * Math.PI * number) / count;
    let across = (Math.cos(angle) + 1) / 2;
    let down = (Math.sin(angle) + 1) / 2;
    if (count === 3) [across, down] = [[0.5, 0], [0, 1], [1, 1]][number];
    if (count === 2) [across, down] = [number, 0.5];
    const x = 4 + (760 - 8 - BOX.width) * across;
    const y = 4 + (520 - 8 - height) * down;
    return { x, y, height, cx: x + BOX.width / 2, cy: y + height / 2 };
  });
}

function linkState(link) {
  if (link.cut) return "cut";
  if (link.silent_ms === null || link.silent_ms > 1000) return "silent";
  const slow = link.delay_ms !== null && link.delay_ms > link.asked_delay_ms * 1.5 + 15;
  return slow || link.toxics.length ? "slow" : "good";
}

function linkWords(link) {
  const state = linkState(link);
  const since = link.silent_ms === null ? "" : ` ${(link.silent_ms / 1000).toFixed(0)} s`;
  if (state === "cut") return `cut${since}`;
  if (state === "silent") return `silent${since}`;
  return link.delay_ms === null ? "no reading" : `${link.delay_ms.toFixed(0)} ms`;
}

const toldOf = (link) => `${link.source} → ${link.target}: ${linkWords(link)}`;

// A phone is too narrow for a map: the regions, and below them the links.
function drawColumn(picture) {
  let y = 4;
  for (const region of picture.regions) {
    const height = heightOf(region);
    drawRegion(region, { x: 4, y, height });
    y += height + 10;
  }
  for (const link of picture.links) {
    y += 20;
    shape("text", { x: 16, y, class: `small tone ${linkState(link)}` }, toldOf(link));
  }
  element("map").setAttribute("viewBox", `0 0 ${BOX.width + 8} ${y + 12}`);
}

function drawMap(picture) {
  element("map").replaceChildren();
  if (PHONE.matches) {
    drawColumn(picture);
    return;
  }
  element("map").setAttribute("viewBox", "0 0 760 520");
  const spots = new Map();
  places(picture.regions).forEach((spot, number) => spots.set(picture.regions[number].name, spot));
  const links = new Map(picture.links.map((link) => [`${link.source}>${link.target}`, link]));
  const order = ["good", "slow", "silent", "cut"];
  const names = [...spots.keys()];
  const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]));
  for (const pair of pairs) {
    const both = [pair, [...pair].reverse()].map((one) => links.get(one.join(">"))).filter(Boolean);
    if (!both.length) continue;
    const [a, b] = pair.map((name) => spots.get(name));
    const worst = both.map(linkState).sort((x, y) => order.indexOf(y) - order.indexOf(x))[0];
    shape("line", { x1: a.cx, y1: a.cy, x2: b.cx, y2: b.cy, class: worst });
    const x = (a.cx + b.cx) / 2;
    const y = (a.cy + b.cy) / 2;
    shape("rect", { x: x - 92, y: y - 22, width: 184, height: 46, class: "plate" });
    both.forEach((link, number) => {
      const kind = `small tone ${linkState(link)}`;
      shape("text", { x, y: y - 5 + number * 20, "text-anchor": "middle", class: kind }, toldOf(link));
    });
  }
  for (const region of picture.regions) drawRegion(region, spots.get(region.name));
}

function drawRegion(region, spot) {
  const ratio = region.success_ratio;
  const state = ratio === null ? "slow" : ratio >= 0.95 ? "good" : ratio > 0.2 ? "slow" : "cut";
  shape("rect", { x: spot.x, y: spot.y, width: BOX.width, height: spot.height, rx: 8, class: state });
  const left = spot.x + 12;
  let y = spot.y + BOX.row;
  shape("text", { x: left, y, class: "name" }, `${region.name} · ${region.jurisdiction}`);
  for (const node of region.nodes) {
    y += BOX.row;
    const glyph = { primary: "★", replica: "●", standby_leader: "◆" }[node.role] || "○";
    const words = [glyph, node.name, node.role === "silent" ? "no answer" : node.role];
    if (node.state && !["running", "streaming", "no answer"].includes(node.state)) words.push(node.state);
    if (["sync", "quorum"].includes(node.synchronous)) words.push("sync");
    if (node.lag_bytes) words.push(`-${(node.lag_bytes / 1e3).toFixed(0)} kB`);
    const kind = node.role === "silent" ? "small tone cut" : "small";
    shape("text", { x: left, y, class: kind }, words.join(" "));
  }
  y += BOX.row;
  const latency = region.latency_ms_p99 === null ? "-" : `${region.latency_ms_p99.toFixed(0)} ms`;
  const served = ratio === null
    ? "clients: nothing"
    : `${region.ok_ops_s.toFixed(0)}/s, ${(ratio * 100).toFixed(0)} % served, p99 ${latency}`;
  shape("text", { x: left, y, class: `small tone ${state}` }, served);
}

function row(list, kind, sign, text, more) {
  const found = document.createElement("li");
  const badge = document.createElement("span");
  badge.className = `badge ${kind}`;
  badge.textContent = sign;
  found.append(badge, ` ${text}`);
  if (more) {
    const soft = document.createElement("div");
    soft.className = "soft";
    soft.textContent = more;
    found.append(soft);
  }
  list.append(found);
}

function drawSide(picture) {
  const list = element("side");
  list.replaceChildren();
  const before = ["starting", "preflight", "ready"].includes(picture.phase);
  element("side-title").textContent = before ? "Preflight" : "Timeline";
  if (picture.role === "responder") {
    element("side-title").textContent = "Briefing";
    row(list, "unknown", "i", picture.briefing, picture.problems.join("; "));
  } else if (before) {
    for (const one of picture.preflight) {
      const [kind, sign] = one.good === null ? ["unknown", "…"] : one.good ? ["valid", "✓"] : ["violation", "✗"];
      row(list, kind, sign, one.name, one.text);
    }
  } else {
    for (const one of picture.injects) {
      const kind = { running: "violation", healing: "unknown", done: "valid", failed: "error" }[one.state] || "unknown";
      const when = one.state === "planned" ? `in ${one.in_s.toFixed(0)} s`
        : one.left_s !== null ? `${one.left_s.toFixed(0)} s left` : "";
      row(list, kind, one.state, one.name, `${one.fault} ${when}`);
    }
    for (const one of picture.stops) {
      const broken = one.broken_s > 0;
      const more = broken ? `broken for ${one.broken_s.toFixed(0)} of ${one.for_s} s` : "";
      row(list, broken ? "violation" : "valid", broken ? "!" : "stop", `${one.name}: ${one.must_hold}`, more);
    }
  }
}

function drawLog(picture) {
  const list = element("story");
  list.replaceChildren();
  const kinds = { inject: "fault", declare: "service", machine: "loss", halt: "loss" };
  for (const one of [...picture.log].reverse()) {
    const found = document.createElement("li");
    const better = one.kind === "machine" && one.good;
    found.className = better ? "service" : kinds[one.kind] || "role";
    const time = document.createElement("time");
    time.textContent = `${one.time_s.toFixed(1)} s`;
    const what = document.createElement("span");
    what.className = "what";
    what.textContent = `${one.who}: ${one.what}${one.text ? `: ${one.text}` : ""}`;
    found.append(time, what);
    list.append(found);
  }
}

async function refresh() {
  try {
    const picture = await (await fetch("/picture.json")).json();
    if (!picture.phase || !picture.regions) return;
    element("title").textContent = picture.title;
    element("phase").textContent = picture.held ? "held" : picture.phase;
    element("clock").textContent = `${picture.time_s.toFixed(0)} s`;
    element("objective").textContent = picture.objective;
    const steady = element("steady");
    steady.textContent = picture.unsteady.length ? `! ${picture.unsteady[0]}` : "steady";
    steady.style.color = picture.unsteady.length ? "var(--violation)" : "var(--valid)";
    drawMap(picture);
    drawSide(picture);
    drawLog(picture);
  } catch (error) {
    element("phase").textContent = "ended, or out of reach";
  }
}

refresh();
setInterval(refresh, 500);
