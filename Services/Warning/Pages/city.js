// The city's answers, asked for with the officer's token: lists only where they changed, problems as errors with their fields.
import { token } from "./login.js";
import { latest } from "./steps.js";

/** A refusal of the city, with its kind and what it says about single fields. What others did meanwhile stands in `meanwhile`, where it is known. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `Antwort ${status}`);
    this.status = status;
    this.type = problem.type;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
  }
}

const root = "../";
/** The last answer of each path as text, with its tag where it had one. */
const known = new Map();

async function send(path, { within = 20_000, ...options } = {}) {
  const headers = { Accept: "application/json", Authorization: `Bearer ${token() ?? ""}`, ...options.headers };
  const response = await fetch(root + path, { ...options, headers, signal: AbortSignal.timeout(within) });
  if (!response.ok && response.status !== 304) throw new Refused(response.status, await response.json().catch(() => ({})));
  return response;
}

/** What is there, and whether it changed since it was last asked for here. */
export async function read(path) {
  const last = known.get(path);
  const response = await send(path, { within: 10_000, headers: last?.tag ? { "If-None-Match": last.tag } : {} });
  if (response.status === 304) return { value: last.value, changed: false };
  const text = await response.text();
  if (last?.text === text) return { value: last.value, changed: false };
  const value = JSON.parse(text);
  known.set(path, { tag: response.headers.get("ETag"), text, value });
  return { value, changed: true };
}

/** What another did to the same thing, where it can be said. */
async function meanwhile(path) {
  const [, hint, id] = path.match(/^(hints\/)?([0-9a-f-]{36})\//i) ?? [];
  if (!id) return null;
  if (!hint) return latest((await read(`${id}/why`)).value.alert);
  const { standing, by, reason } = (await read(`hints/${id}`)).value;
  const done = { acknowledged: "übernommen", confirmed: "bestätigt", dismissed: "verworfen", cleared: "von selbst erloschen: die Messwerte sind zurückgegangen" }[standing];
  return done ? `Inzwischen: ${done}${by ? ` von ${by.subject}` : ""}${reason ? ` („${reason}“)` : ""}.` : null;
}

/** The keys of what was sent and never answered: whoever presses again means the same decision. */
const unanswered = new Map();

/** Decides something; again after a lost answer it is decided once, since the key goes with what is to be decided. */
export async function decide(path, body, { method = "POST", within } = {}) {
  const what = `${method} ${path} ${JSON.stringify(body)}`;
  const key = unanswered.get(what) ?? crypto.randomUUID();
  unanswered.set(what, key);
  const headers = { "Idempotency-Key": key };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const options = { method, within, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  let response;
  try {
    response = await send(path, options).catch(error => {
      // Nobody knows whether it arrived: once more with the same key is the same decision.
      if (error instanceof Refused) throw error;
      return send(path, options);
    });
  } catch (error) {
    if (error instanceof Refused && error.status < 500) unanswered.delete(what);
    if (error instanceof Refused && error.status === 409) error.meanwhile = await meanwhile(path).catch(() => null);
    throw error;
  }
  unanswered.delete(what);
  return response.status === 204 ? null : response.json();
}

/** Asks a neighbouring service of the same city; nothing where it is not there. */
export async function neighbour(path) {
  const headers = { Accept: "application/json", Authorization: `Bearer ${token() ?? ""}` };
  const response = await fetch(root + "../" + path, { headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
  return response.json();
}

export const forgetAnswers = () => known.clear();
