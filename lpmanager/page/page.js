"use strict";
// Draws the pictures, in the colours of page.css, and again where light turns dark.

const pictures = JSON.parse(document.getElementById("pictures").textContent);

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function coloured(value) {
  if (typeof value === "string" && value.startsWith("var(")) return colour(value.slice(4, -1));
  if (Array.isArray(value)) return value.map(coloured);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, coloured(part)]));
}

function layoutOf(picture, narrow) {
  const ink = colour("--ink");
  const layout = coloured(picture.layout);
  const axes = ["xaxis", "yaxis", "yaxis2"].filter((name) => name in layout);
  for (const name of axes) {
    layout[name] = { ...layout[name], automargin: true, zerolinecolor: colour("--grid") };
  }
  if (narrow && layout.xaxis.type === "category") layout.xaxis.tickangle = -45;
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, family: "system-ui, sans-serif", size: narrow ? 11 : 13 },
    margin: { l: narrow ? 8 : 16, r: narrow ? 8 : 16, t: 8, b: 8 },
    hoverlabel: { bgcolor: colour("--paper"), font: { color: ink }, align: "left" },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, xanchor: "left", traceorder: "normal" },
    ...layout,
  };
}

function draw() {
  const narrow = window.matchMedia("(max-width: 40rem)").matches;
  for (const picture of pictures) {
    const options = { responsive: true, displaylogo: false, displayModeBar: false };
    Plotly.react(picture.key, coloured(picture.traces), layoutOf(picture, narrow), options);
  }
}

draw();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
window.matchMedia("(max-width: 40rem)").addEventListener("change", draw);
