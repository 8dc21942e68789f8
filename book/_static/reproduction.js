// The filter of the dashboard: what is ticked, chosen and typed decides which rows show, and stands in the address, so
// that a choice can be sent. Without a script all rows show.
{
  const board = document.querySelector(".reproduction"), form = board.querySelector("form");
  const lines = [...board.querySelectorAll("tr[data-count]")], counted = form.querySelector(".items-count");
  const total = lines.reduce((sum, line) => sum + Number(line.dataset.count), 0);
  const asked = new URLSearchParams(location.search), hidden = asked.getAll("without");

  const boxes = [...board.querySelectorAll(".tally li")].map((entry) => {
    const label = document.createElement("label"), box = document.createElement("input");
    Object.assign(box, { type: "checkbox", value: entry.className, checked: !hidden.includes(entry.className) });
    label.append(...entry.childNodes, box);
    entry.append(label);
    box.addEventListener("input", filter);
    return box;
  });
  form.group.value = asked.get("group") ?? "";
  if (form.group.selectedIndex < 0) form.group.selectedIndex = 0;
  form.words.value = asked.get("words") ?? "";

  function filter() {
    const kinds = boxes.filter((box) => box.checked).map((box) => box.value), words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const line of lines) {
      const item = line.closest("tbody"), head = item.rows[0].textContent;
      const text = `${head} ${line.textContent}`.toLowerCase();
      const group = !form.group.value || item.closest("section").dataset.group === form.group.value;
      line.hidden = !(group && kinds.some((kind) => line.classList.contains(kind)) && words.every((word) => text.includes(word)));
      if (!line.hidden) shown += Number(line.dataset.count);
    }
    for (const part of board.querySelectorAll("tbody, section"))
      part.hidden = ![...part.querySelectorAll("tr[data-count]")].some((line) => !line.hidden);
    counted.textContent = `${shown} of ${total} comparisons`;
    const address = new URLSearchParams();
    for (const box of boxes) if (!box.checked) address.append("without", box.value);
    if (form.group.value) address.set("group", form.group.value);
    if (form.words.value) address.set("words", form.words.value);
    history.replaceState(null, "", `${location.pathname}${address.size ? `?${address}` : ""}${location.hash}`);
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}
