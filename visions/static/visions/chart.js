// @ts-check
// Draws the Plotly figure of one question in the page's own colours. The page is complete without it: the
// same numbers stand there as bars and as a table, so this part stays hidden until it can be drawn.
(() => {
  "use strict";
  const place = document.getElementById("chart");
  const source = document.getElementById("chart-figure");
  if (!place || !source || !window.Plotly) return;

  const figure = JSON.parse(source.textContent);
  const quiet = { responsive: true, displaylogo: false, displayModeBar: false, plotlyServerURL: "", sendData: false };

  // A browser knows the colour that a custom property comes to; Plotly reads no oklch(), so a canvas tells it.
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (name) => {
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
    return `rgb(${red}, ${green}, ${blue})`;
  };

  // Numbers stand beside their bars, in the colour of text.
  const beside = { textposition: "outside", cliponaxis: false };

  const draw = () => {
    const ink = colour("--ink");
    const data = figure.data.map((trace, place) =>
      figure.data.length > 1 && place > 0 
        ? trace
        : { ...trace, marker: { color: colour("--bar"), ...trace.marker }, ...(trace.type === "bar" && beside) },
    );
    const layout = {
      ...figure.layout,
      font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 14 },
      hoverlabel: { bgcolor: colour("--surface"), bordercolor: colour("--edge"), font: { color: ink } },
      dragmode: false,
    };
    for (const axis of ["xaxis", "yaxis"]) {
      layout[axis] = { ...layout[axis], fixedrange: true, linecolor: colour("--line"), tickcolor: colour("--line") };
    }
    place.closest("[hidden]")?.removeAttribute("hidden");
    window.Plotly.react(place, data, layout, quiet);
  };

  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
