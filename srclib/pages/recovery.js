(() => {
  const root = document.getElementById("$name"), frames = $frames, top = $top, bottom = $bottom;
  const bars = root.querySelectorAll("rect"), values = root.querySelectorAll("text.value");
  const slider = root.querySelector("input"), button = root.querySelector("button"), said = root.querySelector(".said");
  let timer = null;
  function show() {
    const frame = frames[slider.value];
    frame.heights.forEach((percent, k) => {
      const height = (percent / 100) * (bottom - top);
      bars[k].setAttribute("y", bottom - height);
      bars[k].setAttribute("height", height);
      bars[k].style.y = bottom - height + "px";
      bars[k].style.height = height + "px";
      values[k].setAttribute("y", bottom - height - 4);
      values[k].textContent = Math.round(percent);
    });
    said.textContent = frame.said;
    slider.setAttribute("aria-valuetext", frame.said);
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  }
  function play() {
    if (slider.value === slider.max) slider.value = 0;
    show();
    button.textContent = "Stop";
    timer = setInterval(() => {
      slider.stepUp();
      show();
      if (slider.value === slider.max) stop();
    }, 900);
  }
  slider.addEventListener("input", () => { stop(); show(); });
  button.addEventListener("click", () => timer === null ? play() : stop());
  root.querySelector(".controls").hidden = false;
})();
