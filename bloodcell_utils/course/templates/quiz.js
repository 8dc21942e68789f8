// Counts, in every quiz of the page, the questions that were right at the first try; says aloud what a choice says.
(() => {
  const start = () => {
    for (const quiz of document.querySelectorAll(".bc-quiz:not([data-ready])")) {
      quiz.dataset.ready = "yes";
      const questions = [...quiz.querySelectorAll("fieldset")];
      const score = quiz.querySelector(".bc-score");
      const first = new Map();
      for (const question of questions) {
        question.addEventListener("change", ({ target }) => {
          const right = "right" in target.dataset;
          if (!first.has(question)) first.set(question, right);
          const sum = [...first.values()].filter(Boolean).length;
          const said = question.querySelector(`#${target.id}-says`).textContent;
          const spoken = document.createElement("span");
          spoken.style.cssText = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
          spoken.textContent = `${said} `;
          score.replaceChildren(spoken, `${sum} of ${questions.length} right at the first try`
            + (first.size < questions.length ? `, ${questions.length - first.size} to go` : ""));
        });
      }
    }
  };
  start();
  setTimeout(start, 50);
  setTimeout(start, 1000);
})();
