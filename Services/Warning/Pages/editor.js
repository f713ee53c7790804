// The form in which a warning is written, changed and ended, with what is wrong beside each field.
import { areaEditor } from "./area.js";
import { breakGlass } from "./approvals.js";
import { Refused, decide, read } from "./city.js";
import { channelFields, checked, count, empty, endingTexts, factFields, fill, isEnding, readContent, readEnding, readTexts, select, textFields } from "./content.js";
import { doing, say } from "./dialogs.js";
import { showProblems as showIn, slot } from "./formproblems.js";
import { duty, refresh } from "./officer.js";
import { reason } from "./problems.js";
import { saveTemplate } from "./templates.js";
import { button, element, at, kinds, local, make, modes } from "./words.js";

/** What is being written: `{alert, hint, amending, kind, content}` and the parts of its form; null where nothing is. */
let editing = null;

const form = () => editing.form;
const mode = () => editing.alert?.mode ?? editing.amending?.mode ?? form().elements.mode?.value ?? "Actual";
const recount = () => count(form(), mode(), isEnding(editing.kind) ? editing.content.channels : checked(form(), "channels"));

const showProblems = problems => { element("editor-problems").textContent = showIn(form(), problems, /^content[.]/); };

function title() {
  if (editing.alert) return `${kinds[editing.kind]} bearbeiten (Revision ${editing.alert.draft.revision})`;
  return editing.amending ? `${kinds[editing.kind]} entwerfen` : "Neue Warnung";
}

function draw() {
  const { content, hint, alert } = editing;
  const ending = isEnding(editing.kind);
  const isNew = !alert && !editing.amending;
  editing.area = ending ? null : areaEditor(content.area, duty.districts, slot);
  editing.form = make("form", { novalidate: true, on: { input: recount, change: recount, submit: event => event.preventDefault() }, children: [
    make("h2", { text: title(), id: "editor-title", tabindex: "-1" }), make("div", { id: "editor-overtaken" }),
    hint ? make("p", { class: "text", text: `Aus dem Hinweis: ${hint.title}\n${hint.text}` }) : null,
    alert?.draft.reason ? make("p", { class: "problem", text: `Zurückgegeben: ${alert.draft.reason}` }) : null,
    isNew ? make("div", { class: "columns", children: [
      select("template", "Vorlage", { "": "ohne", ...Object.fromEntries(duty.templates.map(t => [t.name, t.title])) }, ""), select("mode", "Ernstfall oder Übung", modes, "Actual"),
    ] }) : null,
    ...(ending ? [make("p", { class: "quiet", text: "Sie gilt für dasselbe Gebiet und geht an alle, die gewarnt wurden." })] : [factFields(content), editing.area.form, channelFields(content)]),
    ...textFields(content), slot("texts"),
    make("p", { id: "editor-problems", class: "problem", role: "status" }),
    make("div", { class: "actions", children: [
      button("Speichern und zur Freigabe geben", doing(() => save(true)), "strong"), button("Speichern", doing(() => save(false))),
      alert?.mode === "Actual" ? button("Notfall: sofort herausgeben", doing(async () => { if (await save(false)) await breakGlass(editing.alert); }), "danger") : null,
      ending ? null : button("Als Vorlage speichern", doing(() => saveTemplate(form(), content))), button("Schließen", close),
    ] }),
  ] });
  element("editor").replaceChildren(form());
  element("editor").hidden = false;
  editing.area?.start();
  form().elements.template?.addEventListener("change", event => {
    const template = duty.templates.find(t => t.name === event.target.value);
    if (!template) return;
    fill(form(), template);
    form().elements.expires.value = local(Date.now() + template.lasts * 1_000);
    recount();
  });
  recount();
  if (alert) showProblems(alert.draft.problems);
  element("editor-title").focus();
}

const body = () => (isEnding(editing.kind) ? readEnding(form(), editing.content) : readContent(form(), editing.content, editing.area.value()));

async function keep() {
  const { alert, amending, kind, hint, content } = editing;
  if (alert) return decide(`${alert.id}/draft?revision=${alert.draft.revision}`, body(), { method: "PUT" });
  if (amending) return decide(`${amending.id}/${kind}`, { refersTo: amending.head.message, ...(isEnding(kind) ? { texts: readTexts(form(), content) } : { content: body() }) });
  const template = form().elements.template.value;
  return decide("alerts", { mode: form().elements.mode.value, content: body(), ...(hint ? { hint: hint.id } : template ? { template } : {}) });
}

/** Keeps what is written, and submits it where nothing is missing. Answers whether it was kept. */
async function save(submits) {
  // Two buttons save; whoever presses both at once means one draft.
  if (editing.isSaving) return false;
  const writing = editing;
  writing.isSaving = true;
  try {
    const kept = await keep();
    // From here on it is a draft of the city's: whatever fails next, saving again changes it.
    Object.assign(editing, { alert: kept, kind: kept.draft.kind, amending: null, content: kept.draft.content });
    const { problems, revision } = kept.draft;
    if (submits && problems.length === 0) {
      await decide(`${kept.id}/submit?revision=${revision}`);
      say("Zur Freigabe gegeben: eine andere Person muss freigeben.");
      close();
    } else {
      draw();
      const left = problems.length ? ` Noch ${problems.length} offene Angaben: so kann niemand sie freigeben.` : "";
      say(`Gespeichert als Revision ${revision}.${left}`, submits);
    }
    return true;
  } catch (error) {
    if (!editing) throw error;
    showProblems(error.errors ?? []);
    if (error instanceof Refused && error.errors.length) element("editor-problems").prepend(`${reason(error)} `);
    else if (error instanceof Refused && error.status === 409 && editing.alert) await overtaken(error);
    else throw error;
    return false;
  } finally {
    writing.isSaving = false;
    refresh();
  }
}

/** Somebody else was faster: says what they did, and leaves the choice of whose words stand. */
async function overtaken(error) {
  const now = (await read(editing.alert.id)).value;
  const place = element("editor-overtaken");
  const mine = body();
  const theirs = now.draft?.content;
  const differing = theirs ? mine.texts.flatMap(t => {
    const other = theirs.texts.find(o => o.language === t.language);
    return ["event", "headline", "description", "instruction"].filter(part => other && other[part] !== t[part]).map(part => `${t.language}: „${other[part]}“`);
  }) : [];
  const canEdit = ["drafted", "returned"].includes(now.draft?.stage);
  place.className = "overtaken";
  place.replaceChildren(...[
    make("p", { role: "alert", text: [reason(error), error.meanwhile].filter(Boolean).join(" ") }),
    differing.length ? make("p", { text: `Dort steht anders: ${differing.join("; ")}` }) : null,
    theirs && local(theirs.expires) !== local(mine.expires) ? make("p", { text: `Sie gälte dort bis ${at(theirs.expires)}.` }) : null,
    make("p", { text: canEdit ? "Nichts von Ihnen ist gespeichert, nichts verloren: es steht noch im Formular." : "Hier lässt sich nichts mehr ändern. Was Sie geschrieben haben, steht noch im Formular." }),
    canEdit ? make("div", { class: "actions", children: [
      button("Die andere Fassung öffnen (meine verwerfen)", () => openDraft({ alert: now })),
      button("Meine Fassung darüber speichern", doing(async () => { editing.alert = now; place.replaceChildren(); await save(false); })),
    ] }) : null,
  ].filter(Boolean));
  place.scrollIntoView({ block: "center" });
}

function close() {
  editing = null;
  element("editor").hidden = true;
  element("editor").replaceChildren();
}

/** Opens the form: for nothing yet, for a hint, for a draft that is there, or for the next message about what was issued. */
export function openDraft({ hint = null, alert = null, amending = null, kind = "alert" } = {}) {
  const content = structuredClone(alert?.draft.content ?? amending?.head.content ?? empty());
  if (hint) {
    content.severity = hint.severity;
    if (hint.latitude !== null) content.area.circles = [{ center: [hint.longitude, hint.latitude], radius: 1 }];
  }
  if (amending && isEnding(kind)) content.texts = endingTexts(kind, amending.head.content.texts);
  editing = { hint, alert, amending, kind: alert?.draft.kind ?? kind, content };
  draw();
}

export function startEditor() {
  addEventListener("resize", () => editing?.area?.resize());
}
