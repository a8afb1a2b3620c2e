// Code, parameters and logs stay out of the way until a reader asks for them, on all pages at once.
(() => {
  const root = document.documentElement;
  const KEY = "show-code";

  function apply(shown) {
    root.classList.toggle("quiet", !shown);
    for (const details of document.querySelectorAll(".cell details.hide")) details.open = shown;
    for (const button of document.querySelectorAll(".code-toggle")) {
      button.setAttribute("aria-pressed", String(shown));
      button.textContent = shown ? "Hide code" : "Show code";
    }
  }

  function toggle() {
    const shown = root.classList.contains("quiet");
    localStorage.setItem(KEY, shown ? "1" : "");
    apply(shown);
  }

  function button() {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "code-toggle";
    made.addEventListener("click", toggle);
    return made;
  }

  // Below a figure: its vector file (or picture), and the lines that drew it.
  function linkFigures() {
    for (const links of document.querySelectorAll(".figure-links")) {
      const cell = links.closest(".cell") ?? links.previousElementSibling;
      const image = cell?.querySelector("img");
      if (image) {
        const file = document.createElement("a");
        file.href = image.getAttribute("src");
        file.download = "";
        file.textContent = image.getAttribute("src").endsWith(".svg") ? "vector file (SVG)" : "picture (PNG)";
        links.append(" · ", file);
      }
      const code = document.createElement("a");
      code.href = "#";
      code.textContent = "code";
      code.addEventListener("click", (event) => {
        event.preventDefault();
        if (root.classList.contains("quiet")) toggle();
        cell.scrollIntoView();
      });
      links.append(" · ", code);
    }
  }

  // Only the rows of the next table that contain every word.
  function filterRows(input) {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of input.closest("details, .output").querySelectorAll("tbody tr")) {
      const text = row.textContent.toLowerCase() + [...row.querySelectorAll("[title]")].map((e) => e.title.toLowerCase());
      row.hidden = !words.every((word) => text.includes(word));
    }
  }

  function start() {
    linkFigures();
    for (const input of document.querySelectorAll(".filter-rows")) {
      input.addEventListener("input", () => filterRows(input));
    }
    if (document.querySelector(".cell details.hide, .cell.tag_parameters")) {
      document.querySelector(".article-header-buttons, .header-article-items__end")?.prepend(button());
    }
    apply(localStorage.getItem(KEY) === "1");
  }

  root.classList.add("quiet");
  document.addEventListener("DOMContentLoaded", start);
})();
