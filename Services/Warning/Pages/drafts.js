// Drafts that somebody works on, those that were sent back first.
import { headline } from "./approvals.js";
import { decide } from "./city.js";
import { askReason, doing, say } from "./dialogs.js";
import { openDraft, startEditor } from "./editor.js";
import { duty, full, refresh } from "./officer.js";
import { drawTemplates } from "./templates.js";
import { ago, at, badge, button, element, kinds, make, modes, none, redraw } from "./words.js";

function draftCard(alert, listed) {
  const { draft } = alert;
  const returned = draft.stage === "returned";
  const missing = draft.problems.length;
  const submit = doing(async () => {
    await decide(`${alert.id}/submit?revision=${draft.revision}`);
    say("Zur Freigabe gegeben: eine andere Person muss freigeben.");
    await refresh();
  });
  const drop = doing(async () => {
    if (!(await askReason("Entwurf aufgeben", "Aufgeben", given => decide(`${alert.id}/reject`, given), [headline(draft.content)]))) return;
    say("Aufgegeben.");
    await refresh();
  });
  return make("article", { id: `draft-${alert.id}`, tabindex: "-1", class: `item ${draft.content.severity} ${alert.mode === "Actual" ? "" : "practice"}`, children: [
    make("p", { children: [badge(kinds[draft.kind]), badge(modes[alert.mode], alert.mode !== "Actual"), returned ? badge("zurückgegeben", true) : null] }),
    make("h3", { text: headline(draft.content) }),
    make("p", { class: "quiet", text: `${alert.city}, Revision ${draft.revision}, zuletzt ${at(listed.changed)} (${ago(listed.changed)}), geschrieben von ${draft.authors.map(a => a.subject).join(", ")}` }),
    draft.reason ? make("p", { class: "problem", text: `Zurückgegeben: ${draft.reason}` }) : null,
    make("p", { class: "then", text: missing ? `Noch ${missing === 1 ? "eine Angabe fehlt" : `${missing} Angaben fehlen`}: so kann niemand sie freigeben.` : "Niemand erfährt davon, bis sie zur Freigabe gegeben und freigegeben ist." }),
    make("div", { class: "actions", children: [button("Bearbeiten", () => openDraft({ alert }), missing || returned ? "strong" : ""), missing ? null : button("Zur Freigabe geben", submit, returned ? "" : "strong"), button("Aufgeben", drop)] }),
  ] });
}

export async function startDrafts() {
  element("draft-new").addEventListener("click", () => openDraft());
  startEditor();
  return () => {
    const listed = new Map(duty.alerts.map(a => [a.id.toLowerCase(), a]));
    const open = duty.alerts.map(full).filter(a => a?.draft && ["drafted", "returned"].includes(a.draft.stage)).sort((a, b) => Number(b.draft.stage === "returned") - Number(a.draft.stage === "returned"));
    element("drafting").textContent = open.length || "";
    redraw(element("draft-list"), open.length ? open.map(a => draftCard(a, listed.get(a.id.toLowerCase()))) : [none("Kein Entwurf ist in Arbeit.")]);
    drawTemplates();
  };
}
