// The meaning of a word, or a source, beside the link that a reader points at or tabs to. Escape takes it away.
{
  const texts = JSON.parse(document.getElementById("tips").textContent);
  const tip = Object.assign(document.createElement("div"), { className: "bubble", id: "bubble", role: "tooltip", hidden: true });
  document.body.append(tip);
  let link = null, leaving = 0;

  function show(next) {
    clearTimeout(leaving);
    if (next === link) return;
    hide();
    link = next;
    tip.textContent = texts[link.hash.slice(1)];
    tip.hidden = false;
    link.setAttribute("aria-describedby", tip.id);
    const at = link.getClientRects()[0], size = tip.getBoundingClientRect(), room = document.documentElement;
    const left = Math.max(8, Math.min(at.left, room.clientWidth - size.width - 8));
    const below = at.bottom + 6 + size.height < room.clientHeight || at.top < size.height + 6;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(below ? at.bottom + 6 : at.top - size.height - 6) + scrollY}px`;
  }

  function hide() {
    clearTimeout(leaving);
    link?.removeAttribute("aria-describedby");
    link = null;
    tip.hidden = true;
  }

  const explained = (target) => {
    const found = target.closest?.("article a[href*='#']");
    return found && Object.hasOwn(texts, found.hash.slice(1)) ? found : null;
  };
  // A moment to cross from the link to the text, which may be selected.
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, 250);
  };

  document.addEventListener("pointerover", ({ target, pointerType }) => {
    if (pointerType === "touch") return;
    const next = explained(target);
    if (next) show(next);
    else if (tip.contains(target)) clearTimeout(leaving);
    else if (link) leave();
  });
  document.addEventListener("focusin", ({ target }) => {
    const next = explained(target);
    next ? show(next) : hide();
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") hide();
  });
}
