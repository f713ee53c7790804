// The page of the officer on duty: login, what is there now, and who does what with it.
import * as login from "./login.js";
import { loadPersons } from "./active.js";
import { Refused, forgetAnswers, read } from "./city.js";
import { startDrafts } from "./drafts.js";
import { startFigures } from "./figures.js";
import { loadHints } from "./hints.js";
import { startOverview } from "./overview.js";
import { startRules } from "./rules.js";
import { reason } from "./problems.js";
import { button, clockTime, element, make } from "./words.js";

/** What the page knows; parts draw it. */
export const duty = {
  subject: null, city: null,
  /** Whether this is the warning service's officer, and not somebody at a control room. */
  isOfficer: true,
  hints: [], alerts: [], releases: [], foreign: [], templates: [],
  /** Whether what changes rarely is to be looked at with the next look, too. */
  lookAround: true,
  /** Alerts in full, by their id. */
  full: new Map(),
  districts: [],
};
const parts = [];
const interval = 3_000, rarely = 30_000;
let heard = null, timer = null, asking = null, pages = null, drawn = 0, lookedAround = 0;

export const full = alert => duty.full.get(alert.id.toLowerCase());
export const isOwn = draft => draft.authors.some(a => a.subject === duty.subject);

/** Asks the city anew, at once: after a decision nobody should wait for the next look. */
export async function refresh() {
  clearTimeout(timer);
  asking ??= look().finally(() => { asking = null; });
  await asking;
  clearTimeout(timer);
  if (login.token()) timer = setTimeout(refresh, interval);
}

const wanted = alert => alert.stage || alert.reviewDue || (alert.head && !alert.ending);

/** What this role may not read is not there for it, and asked for once. */
const forbidden = new Set();
const allowed = async path => {
  const nothing = { value: {}, changed: false };
  if (forbidden.has(path)) return nothing;
  return read(path).catch(error => {
    if (!(error instanceof Refused && error.status === 403)) throw error;
    forbidden.add(path);
    return nothing;
  });
};

/** What changes rarely: others' warnings, and templates. */
async function lookAround() {
  if (!duty.lookAround && Date.now() - lookedAround < rarely) return false;
  duty.lookAround = false;
  lookedAround = Date.now();
  const [foreign, templates] = await Promise.all([read("foreign").catch(() => null), allowed("templates")]);
  if (foreign) duty.foreign = foreign.value.alerts;
  duty.templates = templates.value.templates ?? [];
  return foreign?.changed || templates.changed;
}

async function look() {
  if (!login.token()) return leave("Die Anmeldung ist abgelaufen.");
  try {
    const [hints, alerts, releases, around] = await Promise.all([allowed("hints?open=true&limit=200"), read("alerts?limit=200"), allowed("releases"), lookAround()]);
    const stale = alerts.value.alerts.filter(a => wanted(a) && duty.full.get(a.id)?.changed !== a.changed);
    const loaded = await Promise.all(stale.map(async a => ({ ...(await read(a.id)).value, changed: a.changed })));
    // A decision of the same moment may be ahead of the list.
    for (const alert of loaded) duty.full.set(alert.id.toLowerCase(), alert);
    const isOfficer = hints.value.hints !== undefined;
    // A control room has neither hints nor rules, drafts nor drills.
    for (const tab of ["tab-drafts", "tab-rules", "tab-practice"]) element(tab).hidden = !isOfficer;
    Object.assign(duty, { isOfficer, hints: hints.value.hints ?? [], alerts: alerts.value.alerts, releases: releases.value.releases ?? [] });
    const readings = await loadHints(duty.hints);
    const persons = await loadPersons(duty.alerts.filter(a => a.head && !a.ending).map(full).filter(Boolean));
    const first = heard === null;
    heard = Date.now();
    status();
    // Time passes, too: what is said of it must not stand still.
    const changed = first || hints.changed || alerts.changed || releases.changed || around || readings || persons || loaded.length > 0 || heard - drawn > rarely;
    if (!changed) return;
    drawn = heard;
    for (const draw of parts) draw();
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return leave("Die Anmeldung gilt nicht mehr.");
    status(error instanceof Refused ? reason(error) : "Keine Verbindung zur Stadt.");
  }
}

function status(problem) {
  const line = element("connection");
  line.classList.toggle("lost", Boolean(problem));
  const since = heard ? ` Seit ${clockTime(heard)} Uhr ist nichts Neues bekannt; was hier steht, kann überholt sein.` : "";
  line.textContent = problem ? problem + since : `Stand ${clockTime(heard)} Uhr`;
}

export function show(name) {
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    const chosen = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    element(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  dispatchEvent(new Event("resize"));
}

function tabs() {
  const list = [...document.querySelectorAll('[role="tab"]')];
  for (const [index, tab] of list.entries()) {
    tab.addEventListener("click", () => show(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = list[(index + step + list.length) % list.length];
      show(next.getAttribute("aria-controls"));
      next.focus();
    });
  }
}

/** Back to the login; what is being written stays in its form. */
function leave(reason) {
  clearTimeout(timer);
  login.forget();
  forgetAnswers();
  duty.full.clear();
  forbidden.clear();
  heard = null;
  duty.lookAround = true;
  element("duty").hidden = true;
  element("login").hidden = false;
  element("who").replaceChildren();
  element("connection").textContent = "Nicht angemeldet";
  element("login-problem").textContent = reason ?? "";
}

async function enter() {
  const said = login.claims(login.token());
  duty.subject = said.sub;
  duty.city = typeof said.city === "string" ? said.city : null;
  const name = [said.name ?? said.preferred_username ?? said.sub, duty.city].filter(Boolean).join(", ");
  element("who").replaceChildren(make("span", { text: `Angemeldet: ${name}` }), button("Abmelden", () => leave()));
  element("login").hidden = true;
  element("duty").hidden = false;
  forbidden.clear();
  if (!pages) {
    pages = true;
    tabs();
    show("overview");
    addEventListener("offline", () => status("Keine Verbindung zur Stadt."));
    addEventListener("online", () => refresh());
    for (const part of [startOverview, startDrafts, startRules, startFigures]) parts.push(await part());
  }
  await refresh();
}

async function start() {
  try {
    const how = await login.way();
    const fail = error => { element("login-problem").textContent = error.message; };
    if (how.mode === "none") throw new login.LoginFailed(`Die Anmeldung ist nicht eingerichtet: dos braucht ${how.missing}.`);
    if (how.mode === "development") {
      const roles = { "warning-officer": "Warndienst", "control-room": "Leitstelle" };
      element("login-role").append(...how.roles.map(value => make("option", { value, text: roles[value] ?? value })));
      element("login-city").append(...how.cities.map(value => make("option", { value, text: value })));
      element("login-development").hidden = false;
      element("login-development").addEventListener("submit", event => {
        event.preventDefault();
        login.choose(element("login-subject").value, element("login-role").value, element("login-city").value).then(enter).catch(fail);
      });
    } else {
      element("login-oidc").hidden = false;
      element("login-oidc").addEventListener("click", () => login.leave(how).catch(fail));
      await login.finish(how).catch(fail);
    }
    if (login.token()) await enter();
    else {
      element("login").hidden = false;
      element("connection").textContent = "Nicht angemeldet";
    }
  } catch (error) {
    element("login").hidden = false;
    element("login-problem").textContent = error.message;
    element("connection").textContent = "";
  }
}

start();
