// Rules: which are there, in which version, and whether they watch.
import { read, decide } from "./city.js";
import { datastreamsOf, inWords } from "./conditions.js";
import { ask, doing, say } from "./dialogs.js";
import { duty } from "./officer.js";
import { datastreamNames } from "./readings.js";
import { openRule } from "./ruleform.js";
import { at, badge, button, element, make, none, redraw, severities } from "./words.js";

const states = { drafted: "angelegt, wacht nicht", live: "in Dienst", paused: "angehalten", retired: "außer Dienst" };
const order = { live: 0, paused: 1, drafted: 2, retired: 3 };
const pages = 5;

async function load() {
  const all = [];
  let next = "";
  for (let page = 0; page < pages && next !== undefined; page++) {
    const { value } = await read(`rules?limit=200${next && `&cursor=${encodeURIComponent(next)}`}`);
    all.push(...value.rules);
    ({ next } = value);
  }
  await datastreamNames(all.slice(0, 100).flatMap(r => datastreamsOf(r.rule.condition)));
  return { rules: all.sort((a, b) => order[a.status] - order[b.status] || a.rule.name.localeCompare(b.rule.name, "de")), isMore: next !== undefined };
}

const change = (entry, what, done, question) => doing(async () => {
  const act = () => decide(`rules/${entry.id}/${what}`);
  if (question) {
    if (!(await ask({ ...question, words: [entry.rule.name, ...question.words], act }))) return;
  } else await act();
  say(done);
  await draw();
});

function card(entry) {
  const { rule, status } = entry;
  const own = !duty.city || duty.city === rule.city;
  const actions = [
    own ? button(status === "live" ? "Ansehen und ändern" : "Ansehen, erproben, in Dienst stellen", () => openRule(entry, draw), status === "live" ? "" : "strong") : null,
    status === "live" ? button("Anhalten", change(entry, "pause", "Angehalten: sie legt keine Hinweise mehr an.", { title: "Regel anhalten", words: ["Sie legt keine Hinweise mehr an, bis sie wieder in Dienst gestellt wird."], action: "Anhalten" })) : null,
    button("Außer Dienst stellen", change(entry, "retire", "Außer Dienst.", { title: "Regel außer Dienst stellen", words: ["Das lässt sich nicht zurücknehmen; ihre Fassungen bleiben lesbar."], action: "Außer Dienst stellen", danger: true })),
  ];
  return make("article", { id: `rule-${entry.id}`, tabindex: "-1", class: `item ${rule.severity} ${status === "live" ? "" : "practice"}`, children: [
    badge(states[status], status === "paused"), badge(`Fassung ${entry.version}`), badge(severities[rule.severity]?.de ?? rule.severity), badge(rule.city),
    make("h3", { text: rule.name }), make("p", { text: inWords(rule.condition) }), make("p", { class: "quiet", text: rule.description }),
    make("p", { class: "quiet", text: `${rule.district}; ${rule.rota ? `alarmiert die Bereitschaft ${rule.rota}` : "alarmiert niemanden"}; ${status === "live" ? `wacht seit ${at(entry.since)}` : `zuletzt geändert ${at(entry.changed)}`}` }),
    status === "retired" || !own ? null : make("div", { class: "actions", children: actions }),
  ] });
}

async function draw() {
  const { rules, isMore } = await load();
  redraw(element("rule-list"), rules.length ? rules.map(card) : [none("Noch gibt es keine Regel.")]);
  if (isMore) element("rule-list").append(none("Es gibt noch mehr Regeln, als hier stehen."));
}

export async function startRules() {
  const drawing = doing(draw);
  element("tab-rules").addEventListener("click", () => drawing());
  element("rule-new").addEventListener("click", () => openRule(null, draw));
  // Others' changes, too, while somebody looks.
  return () => { if (!element("rules").hidden) draw().catch(() => {}); };
}
