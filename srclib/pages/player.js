(() => {
  const root = document.getElementById("$name"), sleeps = $sleeps;
  const dots = root.querySelectorAll("circle"), said = root.querySelector(".said");
  const slider = root.querySelector("input"), button = root.querySelector("button");
  const choice = root.querySelector("select");
  let timer = null, lit = [...dots.keys()].filter(k => dots[k].classList.contains("on"));
  function show() {
    const frame = sleeps[choice.value][slider.value];
    lit.forEach(k => dots[k].classList.remove("on"));
    lit = frame.lit;
    lit.forEach(k => dots[k].classList.add("on"));
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
    }, 350);
  }
  slider.addEventListener("input", () => { stop(); show(); });
  choice.addEventListener("change", () => {
    slider.max = sleeps[choice.value].length - 1;
    show();
  });
  button.addEventListener("click", () => timer === null ? play() : stop());
  root.querySelector(".controls").hidden = false;
})();
