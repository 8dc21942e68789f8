// A button that folds the code of all chapters away, for who does not program; what the code shows stays. The choice is kept.
{
  const page = document.documentElement; // the layout has read the choice, so that no code flashes up
  const button = Object.assign(document.createElement("button"), { className: "fold", type: "button" });
  const name = () => (button.textContent = page.classList.contains("folded") ? "Show the code" : "Fold the code away");
  button.addEventListener("click", () => {
    if (page.classList.toggle("folded")) localStorage.setItem("bloodcell-folded", "yes");
    else localStorage.removeItem("bloodcell-folded");
    name();
  });
  name();
  document.querySelector("article h1")?.after(button); // the search page has none
}
