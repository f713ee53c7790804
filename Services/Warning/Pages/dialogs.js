// Questions that are asked before something is decided, and messages about what came of it.
import { button, element, make } from "./words.js";

/**
 * Asks and waits: the fields' values by name, or null where somebody thinks better of it.
 * A field is `{name, label, kind: "text" | "line" | "check" | "datetime-local" | "select", options, required, value}`.
 */
export function ask({ title, words = [], fields = [], action, danger = false }) {
  return new Promise(resolve => {
    const inputs = fields.map(field => {
      const rules = { name: field.name, required: field.required ?? true, id: `ask-${field.name}` };
      if (field.kind === "check") return make("label", { class: "check", children: [make("input", { type: "checkbox", ...rules }), make("span", { text: field.label })] });
      let input;
      if (field.kind === "text") input = make("textarea", { rows: "3", ...rules });
      else if (field.kind === "select") input = make("select", { ...rules, children: field.options.map(([value, text]) => make("option", { value, text })) });
      else input = make("input", { type: field.kind === "line" ? "text" : field.kind, ...rules });
      if (field.value) input.value = field.value;
      return make("label", { children: [make("span", { text: field.label }), input] });
    });
    const form = make("form", { method: "dialog", children: [
      make("h2", { text: title, id: "ask-title" }), ...words.map(text => make("p", { text })), ...inputs,
      make("div", { class: "actions", children: [
        make("button", { type: "submit", text: action, class: danger ? "danger" : "strong" }), button("Abbrechen", () => dialog.close()),
      ] }),
    ] });
    const dialog = make("dialog", { class: danger ? "danger" : "", "aria-labelledby": "ask-title", children: [form] });
    let given = null;
    form.addEventListener("submit", () => {
      given = {};
      for (const field of fields) {
        const input = form.elements[field.name];
        given[field.name] = field.kind === "check" ? input.checked : input.value.trim();
      }
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(given); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const askReason = (title, action, words = [], danger = false) =>
  ask({ title, words, action, danger, fields: [{ name: "reason", label: "Begründung", kind: "text" }] });

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
      const fields = (error.errors ?? []).map(e => `${e.path}: ${e.problem}; erwartet: ${e.expected}`);
      say([error.message, ...fields].join(" · "), true);
    } finally {
      if (pressed) pressed.disabled = false;
    }
  };
}
