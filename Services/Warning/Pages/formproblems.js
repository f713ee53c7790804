// What is wrong with a form, beside its fields: problems name their field by its path in the JSON, and places by `data-path`.
import { fieldProblem } from "./problems.js";
import { make } from "./words.js";

/** The place for what is wrong with a field. */
export const slot = path => make("p", { class: "problem", "data-path": path, hidden: true });

/** Shows each problem at its field, or at the nearest place around it. Answers what could not be placed, in words. */
export function showProblems(form, problems, prefix = /^$/) {
  const left = [];
  for (const place of form.querySelectorAll("[data-path]")) { place.hidden = true; place.textContent = ""; }
  for (const wrong of form.querySelectorAll(".wrong")) wrong.classList.remove("wrong");
  for (const problem of problems) {
    const path = problem.path.replaceAll("/", ".").replace(/\.(\d+)/g, "[$1]").replace(prefix, "");
    let at = path;
    let place = null;
    while (at && !place) {
      place = form.querySelector(`[data-path="${CSS.escape(at)}"]`);
      at = at.replace(/(\.[^.[]+|\[\d+\])$|^[^.[]+$/, "");
    }
    if (!place) { left.push(`${path}: ${fieldProblem(problem)}`); continue; }
    place.hidden = false;
    place.textContent += (place.textContent ? " · " : "") + fieldProblem(problem);
    place.parentElement.querySelector("input:not([type=checkbox]), textarea, select")?.classList.add("wrong");
  }
  return problems.length ? [`${problems.length} ${problems.length === 1 ? "Angabe fehlt oder passt" : "Angaben fehlen oder passen"} noch nicht.`, ...left].join(" · ") : "";
}
