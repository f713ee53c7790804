// Questions that are asked before something is decided, and messages about what came of it.
import { fieldProblem, inOneLine, reason } from "./problems.js";
import { button, element, make } from "./words.js";

function control(field) {
  const rules = { name: field.name, required: field.required ?? true, id: `ask-${field.name}` };
  let input;
  if (field.kind === "check") input = make("input", { type: "checkbox", ...rules });
  else if (field.kind === "text") input = make("textarea", { rows: "3", ...rules });
  else if (field.kind === "select") input = make("select", { ...rules, children: field.options.map(([value, text]) => make("option", { value, text })) });
  else input = make("input", { type: field.kind === "line" ? "text" : field.kind, maxlength: field.longest, ...rules });
  if (field.value) input.value = field.value;
  return input;
}

/** Puts each problem beside its field; answers those without one. */
function showIn(form, fields, errors) {
  for (const place of form.querySelectorAll("[data-path]")) place.hidden = true;
  return errors.filter(error => {
    const name = fields.find(f => error.path === f.name || error.path.endsWith(`/${f.name}`))?.name;
    const place = name && form.querySelector(`[data-path="${name}"]`);
    if (!place) return true;
    place.textContent = fieldProblem(error);
    place.hidden = false;
    return false;
  });
}

/**
 * Asks, and does what was asked for: the answer of `act`, which gets the fields' values by name, or null where somebody thinks better of it.
 * What is refused is said in the dialog, beside its field, and nothing of what was written is lost.
 * A field is `{name, label, kind: "text" | "line" | "check" | "datetime-local" | "select", options, required, value, longest}`.
 */
export function ask({ title, words = [], fields = [], action, danger = false, act = given => given }) {
  return new Promise(resolve => {
    const problem = make("p", { class: "problem", role: "alert", hidden: true });
    const submit = make("button", { type: "submit", text: action, class: danger ? "danger" : "strong" });
    const form = make("form", { children: [
      make("h2", { text: title, id: "ask-title" }), ...words.filter(Boolean).map(text => make("p", { text })),
      ...fields.map(field => make("label", { class: field.kind === "check" ? "check" : "", children: [
        make("span", { text: field.label }), control(field), make("p", { class: "problem", "data-path": field.name, hidden: true })] })),
      problem, make("div", { class: "actions", children: [submit, button("Abbrechen", () => dialog.close())] }),
    ] });
    const dialog = make("dialog", { class: danger ? "danger" : "", "aria-labelledby": "ask-title", children: [form] });
    let answer = null;
    form.addEventListener("submit", async event => {
      event.preventDefault();
      const given = {};
      for (const field of fields) given[field.name] = field.kind === "check" ? form.elements[field.name].checked : form.elements[field.name].value.trim();
      submit.disabled = true;
      problem.hidden = true;
      try {
        answer = (await act(given)) ?? given;
        dialog.close();
      } catch (error) {
        const left = showIn(form, fields, error.errors ?? []);
        problem.textContent = inOneLine({ ...error, name: error.name, message: error.message, errors: left });
        problem.hidden = false;
      } finally {
        submit.disabled = false;
      }
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(answer); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const askReason = (title, action, act, words = [], danger = false) =>
  ask({ title, words, action, danger, act, fields: [{ name: "reason", label: "Begründung", kind: "text" }] });

let hiding;
/** Says in one line what came of something; an error stays until the next message. */
export function say(text, isError = false) {
  const line = element("message");
  line.textContent = text;
  line.className = isError ? "error" : "";
  line.hidden = false;
  clearTimeout(hiding);
  if (!isError) hiding = setTimeout(() => { line.hidden = true; }, 8_000);
}

/** Does what a button is for: not twice at once, and what goes wrong is said. */
export function doing(work) {
  return async event => {
    const pressed = event?.currentTarget;
    if (pressed) pressed.disabled = true;
    try {
      await work();
    } catch (error) {
      say(error.errors ? inOneLine(error) : reason(error), true);
    } finally {
      if (pressed) pressed.disabled = false;
    }
  };
}
